//! Sessions come and go: what that does to names and calls.

use crate::call::peer::PeerInfo;
use crate::call::{Action, PeerId};
use crate::error::{Misbehaved, PeerError, Reason};
use crate::rpc::endpoint::outbox::key_of;
use crate::rpc::endpoint::{CallPlace, Endpoint};
use crate::rpc::session::Session;
use crate::rpc::session::calls::CallKey;
use crate::rpc::session::entry::NewCall;
use std::time::Instant;

impl Endpoint {
    /// A link's handshake is over: a session begins. The newest link of an identity takes it over;
    /// the older session ends as [`Reason::Replaced`]. But a link that we opened, and before those
    /// that others opened one of another user, keeps the name as long as it lives: others that
    /// announce it stand by and are only called as sessions. So does a second link of one node, by name
    /// and as its user, while the first lives ([`Siblings`](crate::Siblings)). Calls that waited for that identity are
    /// sent.
    /// After [`shutdown`](Self::shutdown) the session ends at once.
    pub fn handle_connected(&mut self, info: PeerInfo, now: Instant) -> PeerId {
        let joined = self.directory.join(info);
        let (peer, info) = (joined.admitted.id, joined.admitted.info.clone());
        if let Some(old) = joined.ends {
            self.close(old, Reason::Replaced);
        }
        if let Some(oldest) = joined.crowded_out {
            self.close(oldest, PeerError::from(Misbehaved::NotLoggedIn).into());
        }
        let session = Session::new(self.config.clone(), self.budget.clone(), joined.admitted);
        self.sessions.insert(peer.0, session);
        self.outbox.push(Action::Joined(peer, info));
        self.visit(peer, |session, outbox| session.begin(now, outbox));
        if self.sessions.get(peer.0).is_some_and(|session| !session.is_stranger) {
            self.welcome(peer);
        }
        self.keep_to_policy(peer);
        if self.directory.is_shut_down() {
            self.close(peer, Reason::Shutdown);
        }
        peer
    }

    /// From now on it can be found, and is sent what waited for it.
    pub(crate) fn welcome(&mut self, peer: PeerId) {
        let parked = self.directory.welcome(peer);
        self.deliver(peer, parked);
    }

    /// Sends a session what waited for it.
    fn deliver(&mut self, peer: PeerId, waited: Vec<NewCall>) {
        for call in waited {
            let tag = call.tag;
            let started = self.visit(peer, |session, outbox| session.call_waited(call, outbox));
            match started {
                Some(Ok(key)) => self.place(tag, peer, key),
                Some(Err(why)) => self.outbox.not_executed(tag, why),
                // The session has ended meanwhile: an earlier call was more than its queue may hold.
                None => {
                    self.budget.give_calls(1);
                    self.outbox.not_executed(tag, Reason::SlowPeer);
                }
            }
        }
    }

    /// That call is pending there.
    pub(crate) fn place(&mut self, tag: u64, peer: PeerId, key: CallKey) {
        if let Some(place) = self.calls.get_mut(key_of(tag, self.directory.machine())) {
            *place = CallPlace::At(peer, key);
        }
    }

    /// The link of that session ended. Its calls end at once, for the same reason: `NotExecuted` if they
    /// were never whole on the wire, else `Unknown`. Nothing happens if the session has ended before.
    ///
    /// So report first what was written, and write nothing of this session's messages after.
    pub fn handle_gone(&mut self, peer: PeerId, reason: Reason, _now: Instant) {
        self.end(peer, false, |session, outbox| session.handle_gone(reason, outbox));
    }

    /// Sends that peer a HEARTBEAT: a sign of life for who counts messages. None is sent where something waits
    /// to be sent, before logins, and to a REQ, which only asks.
    pub fn heartbeat(&mut self, peer: PeerId, _now: Instant) {
        self.visit(peer, |session, outbox| session.send_heartbeat(outbox));
    }

    /// Ends that session and has its link closed, as [`Reason::Revoked`]: its calls end, and its
    /// requests are cancelled. Says whether it was there.
    pub fn disconnect(&mut self, peer: PeerId, now: Instant) -> bool {
        self.disconnect_as(peer, Reason::Revoked, now)
    }

    /// The same for another reason, which is this side's: such as [`Reason::Disconnected`].
    pub fn disconnect_as(&mut self, peer: PeerId, reason: Reason, _now: Instant) -> bool {
        self.close(peer, reason)
    }

    /// Ends all sessions of that user so; returns how many there were. It does not keep the user from
    /// coming back: that is up to whoever authenticates it.
    pub fn disconnect_user(&mut self, user: &[u8], now: Instant) -> usize {
        self.disconnect_user_as(user, Reason::Revoked, now)
    }

    /// The same for another reason, which is this side's.
    pub fn disconnect_user_as(&mut self, user: &[u8], reason: Reason, now: Instant) -> usize {
        let sessions = self.directory.revoke(user);
        sessions.into_iter().filter(|&peer| self.disconnect_as(peer, reason, now)).count()
    }

    /// Ends a session whose link lives. Says whether it was there.
    pub(crate) fn close(&mut self, peer: PeerId, reason: Reason) -> bool {
        self.end(peer, true, |session, outbox| session.close(reason, outbox))
    }

    fn end(
        &mut self,
        peer: PeerId,
        has_link: bool,
        end: impl FnOnce(&mut Session, &mut super::outbox::Outbox),
    ) -> bool {
        let Some(session) = self.sessions.get_mut(peer.0) else { return false };
        self.timed -= usize::from(std::mem::take(&mut session.is_timed));
        end(session, self.outbox.of(peer));
        self.left(peer, has_link);
        true
    }

    /// A session has ended. Its link, if that lives, is to be closed.
    pub(crate) fn left(&mut self, peer: PeerId, has_link: bool) {
        let Some(session) = self.sessions.remove(peer.0) else { return };
        if self.timed == 0 {
            self.next.clear();
        }
        let reason = session.ended().unwrap_or(Reason::PeerGone);
        let left = self.directory.leave(peer);
        self.outbox.push(Action::Left(peer, reason));
        if let Some(successor) = left.and_then(|left| left.successor) {
            let parked = self.directory.waiting_for(successor);
            self.deliver(successor, parked);
        }
        if has_link {
            self.outbox.push(Action::Close(peer, reason));
        }
    }
}
