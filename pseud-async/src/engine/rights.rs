//! Whose sessions end, and what users may do, while they are there.

use super::hub::Hub;
use super::seat::Seat;
use pseud_proto::peer::PeerInfo;
use pseud_proto::{Parting, PeerError, PeerId, Reason, To, User};
use std::sync::Arc;

impl Hub {
    /// Ends a user's sessions, and bars those who were admitted as that user before.
    pub(crate) fn disconnect_user(&self, user: &[u8], why: Parting) -> usize {
        let reason = PeerError::SentAway(why).into();
        let mut inner = self.lock();
        if !user.is_empty() {
            inner.strangers.iter_mut().for_each(|stranger| stranger.bar(user));
        }
        let sessions = inner.directory.revoke(user);
        let seats: Vec<_> = sessions.into_iter().filter_map(|peer| inner.seat(peer)).collect();
        self.changed();
        drop(inner);
        seats.iter().filter(|seat| seat.end(reason)).count()
    }

    /// Ends the sessions of whoever that is; how many there were.
    #[cfg(feature = "_curve")]
    pub(crate) fn disconnect_who(&self, is_meant: impl Fn(&PeerInfo) -> bool) -> usize {
        let inner = self.lock();
        let all = inner.directory.sessions_behind(None);
        let meant = all.filter(|(_, info)| is_meant(info));
        let seats: Vec<_> = meant.filter_map(|(peer, _)| inner.seat(peer)).collect();
        drop(inner);
        seats.iter().filter(|seat| seat.end(Reason::Revoked)).count()
    }

    /// Ends the session that a call to that would go to now, for that reason. Says whether there was one.
    pub(crate) fn disconnect(&self, to: &To, reason: Reason) -> bool {
        let inner = self.lock();
        let seat = inner.directory.session_of(to).and_then(|peer| inner.seat(peer));
        drop(inner);
        seat.is_some_and(|seat| seat.end(reason))
    }

    /// That user's sessions are of what it is said to be here; how many there are. So are those of who was
    /// admitted as that user, by what was known before, and is not there yet.
    pub(crate) fn update_user(&self, user: &User) -> usize {
        let mut inner = self.lock();
        inner.strangers.iter_mut().for_each(|stranger| stranger.update(user));
        let changed = inner.directory.update_user(user);
        let count = changed.len();
        let seats: Vec<_> = changed.iter().filter_map(|(peer, _)| inner.seat(*peer)).collect();
        drop(inner);
        seats.iter().for_each(|seat| self.tell_rights(seat));
        count
    }

    /// A session is told what its directory says, until that has not changed meanwhile: whoever changed it
    /// last, that is what the session goes by.
    fn tell_rights(&self, seat: &Seat) {
        let mut told = None;
        while let Some(known) = self.known(seat.peer)
            && told.as_ref().is_none_or(|told| !Arc::ptr_eq(told, &known))
        {
            seat.act(|session, _| session.set_info(known.clone()));
            told = Some(known);
        }
    }

    fn known(&self, peer: PeerId) -> Option<Arc<PeerInfo>> {
        self.lock().directory.peer_info(peer).cloned()
    }
}
