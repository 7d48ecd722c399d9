//! Sessions begin, and say who they are: first who loses its name for that ends, then it can be found.

use super::any_link::AnyLink;
use super::deliver::AwaitingCall;
use super::event::KeptEvent;
use super::happened::NodeEffects;
use super::hub::{Hub, Inner};
use super::seat::Seat;
use pseud_proto::peer::PeerInfo;
use pseud_proto::zmtp::Verdict;
use pseud_proto::{Misbehaved, PeerError, PeerId, Reason, ShowingStep, User};
use std::sync::Arc;

/// How often a newcomer is sent what waits for it before it can be found, while more comes.
const ROUNDS_MAX: usize = 64;

/// A session that the directory knows, and that nobody can find yet.
#[derive(Debug)]
#[must_use = "nobody can find it before it is complete"]
pub(crate) struct Newcomer {
    pub(crate) seat: Arc<Seat>,
    ends: Option<Arc<Seat>>,
    /// Whoever has had the longest time to say who it is.
    crowded_out: Option<Arc<Seat>>,
}

impl Inner {
    /// A link's handshake is over, and nothing has shut down.
    pub(crate) fn join(
        &mut self,
        hub: &Arc<Hub>,
        info: PeerInfo,
        link: Option<Arc<dyn AnyLink>>,
    ) -> Newcomer {
        let joined = self.directory.join(info);
        let ends = joined.ends.and_then(|old| self.seat(old));
        let crowded_out = joined.crowded_out.and_then(|oldest| self.seat(oldest));
        let seat = Seat::admit(hub, joined.admitted, link.clone());
        self.attach(seat.clone(), link);
        Newcomer { seat, ends, crowded_out }
    }

    /// Watchers are told of a session, unless it has left.
    fn announce(&mut self, seat: &Arc<Seat>, happened: &mut NodeEffects) {
        let Some(info) = self.directory.peer_info(seat.peer).cloned() else { return };
        let Some(present) = self.present_mut(seat.peer) else { return };
        present.is_announced = true;
        happened.tell(self, KeptEvent::ready(seat.peer, info));
    }
}

impl Inner {
    /// Our own login there has come so far.
    pub(super) fn showing(
        &mut self,
        session: PeerId,
        step: ShowingStep,
        happened: &mut NodeEffects,
    ) {
        let Some(peer) = self.directory.peer_info(session).cloned() else { return };
        let event = match step {
            ShowingStep::Challenged => KeptEvent::Challenged { peer, session },
            ShowingStep::Authenticated => KeptEvent::Authenticated { peer, session },
        };
        happened.tell(self, event);
    }
}

impl Newcomer {
    /// A session that no link carries.
    #[cfg(test)]
    pub(crate) fn without_link(hub: &Arc<Hub>, info: PeerInfo) -> Arc<Seat> {
        let newcomer = hub.lock().join(hub, info, None);
        let seat = newcomer.seat.clone();
        newcomer.complete();
        seat
    }

    /// The rest of its coming, under no lock: the older session of its name ends, it is told to watchers,
    /// and sent what waited for it.
    pub(crate) fn complete(self) {
        let Self { seat, ends, crowded_out } = self;
        let hub = &seat.hub;
        if let Some(old) = ends {
            old.end(Reason::Replaced);
        }
        if let Some(oldest) = crowded_out {
            oldest.end(PeerError::from(Misbehaved::NotLoggedIn).into());
        }
        hub.happen(|inner, happened| inner.announce(&seat, happened));
        let now = hub.now();
        let is_stranger = seat.act(|session, noted| {
            session.begin(now, noted);
            session.is_stranger()
        });
        if !is_stranger {
            hub.welcome(&seat);
        }
        hub.keep_to_policy(seat.peer);
    }
}

impl Hub {
    /// A session is sent what waited for it; then it can be found.
    fn welcome(&self, seat: &Arc<Seat>) {
        for round in 0..=ROUNDS_MAX {
            let waiting: Vec<AwaitingCall> = self.happen(|inner, happened| {
                let calls = match round {
                    ROUNDS_MAX => inner.directory.welcome(seat.peer),
                    _ => inner.directory.welcome_behind(seat.peer),
                };
                if calls.is_empty() || round == ROUNDS_MAX {
                    happened.wait_list.extend(inner.joining.leave());
                }
                inner.waiting(calls)
            });
            if waiting.is_empty() {
                return;
            }
            self.deliver(seat, waiting);
        }
    }

    /// Ends the sessions that its user is not to have beside each other.
    fn keep_to_policy(&self, peer: PeerId) {
        let inner = self.lock();
        let too_many = inner.directory.too_many(peer);
        let too_many: Vec<_> =
            too_many.into_iter().filter_map(|(peer, why)| Some((inner.seat(peer)?, why))).collect();
        drop(inner);
        for (seat, why) in too_many {
            seat.end(why);
        }
    }

    /// Somebody has said whether that peer is who its HELLO says.
    pub(crate) fn answer_login(&self, seat: &Arc<Seat>, verdict: Verdict) {
        let is_denied = match verdict {
            Verdict::Admit(user) => match self.log_in(seat, user) {
                true => return,
                false => true,
            },
            // What is neither yes nor "nobody can tell" fails closed.
            verdict => !matches!(verdict, Verdict::Unavailable),
        };
        let now = self.now();
        seat.act(|session, noted| session.login_refused(is_denied, now, noted));
    }

    /// The directory first: a revocation in between finds who has a right already.
    fn log_in(&self, seat: &Arc<Seat>, user: User) -> bool {
        if !seat.look(|session| session.may_log_in()) {
            return false;
        }
        let mut inner = self.lock();
        let Some(logged_in) = inner.directory.login(seat.peer, user) else { return false };
        let ends = logged_in.ends.and_then(|old| inner.seat(old));
        drop(inner);
        if let Some(old) = ends {
            old.end(Reason::Replaced);
        }
        let info = logged_in.info;
        seat.act(|session, noted| session.logged_in(info.clone(), noted));
        self.happen(|inner, happened| {
            if inner.directory.peer_info(seat.peer).is_some() {
                happened.tell(inner, KeptEvent::logged_in(seat.peer, info));
            }
        });
        self.welcome(seat);
        self.keep_to_policy(seat.peer);
        true
    }
}
