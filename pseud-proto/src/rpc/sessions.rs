//! Sessions come and go: what that does to names, calls and requests.

use crate::call::late_guard::LateGuard;
use crate::call::peer::PeerInfo;
use crate::call::{Action, CallId, Outcome, PeerId, RequestId};
use crate::error::{Executed, Reason};
use crate::message::outgoing::Token;
use crate::rpc::calling::Target;
use crate::rpc::calls::{Call, Sending};
use crate::rpc::endpoint::Endpoint;
use crate::rpc::parked::Awaited;
use crate::rpc::requests::Progress;
use crate::rpc::session::{Queued, Session};
use bytes::Bytes;
use rand_chacha::rand_core::Rng;
use std::sync::Arc;
use std::time::Instant;

impl Endpoint {
    /// A link's handshake is over: a session begins. The newest link of an identity takes it over;
    /// the older session ends as [`Reason::Replaced`]. But a link that we opened, and before those
    /// that others opened one of another user, keeps the name as long as it lives: others that
    /// announce it stand by and are only called as sessions. So does a second link of one node, by name
    /// and as its user, while the first lives ([`Siblings`](crate::Siblings)). Calls that waited for that identity are
    /// sent.
    /// After [`shutdown`](Self::shutdown) the session ends at once.
    pub fn handle_connected(&mut self, mut info: PeerInfo, _now: Instant) -> PeerId {
        if info.identity.is_empty() {
            info.identity = self.mint_identity();
        }
        info.late_guard = Some(match info.has_late_guard() {
            true => info.late_guard.unwrap_or(self.config.late_guard),
            false => LateGuard::Off,
        });
        let info = Arc::new(info);
        self.unreachable.joined(&info, self.config.server.as_ref());
        let pending_max = self.config.limits.calls_pending_per_peer_max;
        let answers_due = pending_max.try_into().unwrap_or(u32::MAX);
        let peer = PeerId(self.sessions.insert(Session::new(info.clone(), answers_due)));
        if let Some(old) = self.names.take(peer, &info) {
            self.close(old, Reason::Replaced);
        }
        self.users.join(&info.user, peer, self.elder(&info));
        self.actions.push_back(Action::Joined(peer, info.clone()));
        self.unpark(peer, &info);
        if self.shut_down {
            self.close(peer, Reason::Shutdown);
        }
        peer
    }

    /// The session of the same user and the same node that is called, while this one stands by.
    fn elder(&self, info: &PeerInfo) -> Option<PeerId> {
        if info.siblings.is_alone() {
            return None;
        }
        let yields = |peer: &&PeerId| {
            let other = self.peer_info(**peer);
            other.is_some_and(|other| info.siblings.yields_to(other.siblings.link()))
        };
        self.users.sessions(info.user.id()).iter().find(yields).copied()
    }

    /// Unlike libzmq's, these cannot be guessed: who guesses one could announce it and take it over.
    fn mint_identity(&mut self) -> Bytes {
        let mut identity = [0; 17];
        let (_, random) = identity.split_at_mut(1);
        self.rng.fill_bytes(random);
        Bytes::copy_from_slice(&identity)
    }

    /// Sends what waited for that peer. A routing id means whoever holds it, a user's session
    /// whatever it announces; who is a user is known as nothing else.
    fn unpark(&mut self, peer: PeerId, info: &PeerInfo) {
        let (name, user) = (&info.identity, info.user.id());
        let (holds, anonymous) = (self.names.holder(name) == Some(peer), user.is_empty());
        let whom = [
            holds.then(|| Awaited::RoutingId(name.clone())),
            (!anonymous).then(|| Awaited::User(user.clone())),
            (!anonymous).then(|| Awaited::Known(user.clone())),
            (anonymous && holds).then(|| Awaited::Known(name.clone())),
        ];
        for whom in whom.into_iter().flatten() {
            let mut parked = self.parked.take(&whom);
            while let Some(entry) = parked.pop(&self.calls) {
                self.unpark_call(peer, entry);
            }
        }
    }

    /// What waited in several ways may be more than goes to one peer: that is not the peer's fault.
    fn unpark_call(&mut self, peer: PeerId, entry: Queued) {
        let Queued::Call { call, .. } = entry else { return };
        if self.sessions.get(peer.0).is_none() {
            return self.end_call(call, Reason::SlowPeer);
        }
        if !self.takes_calls(peer) {
            return self.end_call(call, Reason::TakesNoCalls);
        }
        if self.judge_room(&Target::Session(peer)).is_err() {
            return self.end_call(call, Reason::TooBusy);
        }
        if self.calls.queue_at(call, peer, entry.cost()) {
            self.enqueue_call(peer, call, entry);
        }
    }

    /// The link of that session ended. Its calls end at once, for the same reason: `NotExecuted` if they
    /// were never whole on the wire, else `Unknown`. Nothing happens if the session has ended before.
    ///
    /// So report first what was written, and write nothing of this session's messages after.
    pub fn handle_gone(&mut self, peer: PeerId, reason: Reason, _now: Instant) {
        self.end_session(peer, reason, Call::executed_when_gone);
    }

    /// Ends that session and has its link closed, as [`Reason::Revoked`]: its calls end, and its
    /// requests are cancelled. Says whether it was there.
    pub fn disconnect(&mut self, peer: PeerId, now: Instant) -> bool {
        self.disconnect_as(peer, Reason::Revoked, now)
    }

    /// The same for another reason, which is this side's: such as [`Reason::Disconnected`].
    pub fn disconnect_as(&mut self, peer: PeerId, reason: Reason, _now: Instant) -> bool {
        let live = self.sessions.get(peer.0).is_some();
        self.close(peer, reason);
        live
    }

    /// Ends all sessions of that user so; returns how many there were. It does not keep the user from
    /// coming back: that is up to whoever authenticates it.
    pub fn disconnect_user(&mut self, user: &[u8], now: Instant) -> usize {
        // Taken all at once: each need not be searched then, however many they are.
        let sessions = self.users.take(user);
        sessions.into_iter().filter(|&peer| self.disconnect(peer, now)).count()
    }

    /// The message that `token` names was written whole.
    pub fn handle_written(&mut self, peer: PeerId, token: Token, _now: Instant) {
        match Sending::named(token, peer.0.machine) {
            Sending::Call(key) => self.calls.sent(CallId(key), peer),
            Sending::Reply(key) => self.finish_reply(RequestId(key), peer),
        }
    }

    fn finish_reply(&mut self, request: RequestId, peer: PeerId) {
        if self.requests.get(request).is_some_and(|open| open.peer == peer) {
            self.requests.remove(request);
        }
    }

    /// Ends a session whose link lives: its driver may be writing at this moment, so what was
    /// pulled may yet arrive.
    pub(crate) fn close(&mut self, peer: PeerId, reason: Reason) {
        if self.end_session(peer, reason, Call::executed) {
            self.actions.push_back(Action::Close(peer, reason));
        }
    }

    fn end_session(
        &mut self,
        peer: PeerId,
        reason: Reason,
        executed: fn(&Call) -> Executed,
    ) -> bool {
        let Some(session) = self.sessions.remove(peer.0) else { return false };
        self.unreachable.left(&session.info, self.config.server.as_ref());
        let heir = self.names.release(&session.info.identity, peer);
        self.users.leave(&session.info.user, peer);
        for call in session.calls {
            self.end_with_session(call, peer, reason, executed);
        }
        for request in session.requests {
            self.cancel_request(request, peer);
        }
        self.actions.push_back(Action::Left(peer, reason));
        if let Some(heir) = heir
            && let Some(info) = self.peer_info(heir).cloned()
        {
            self.unpark(heir, &info);
        }
        true
    }

    fn end_with_session(
        &mut self,
        call: CallId,
        peer: PeerId,
        reason: Reason,
        executed: fn(&Call) -> Executed,
    ) {
        let Some(known) = self.calls.get(call).filter(|known| known.peer == Some(peer)) else {
            return;
        };
        let outcome = match (reason, executed(known)) {
            (Reason::Shutdown, executed) => Outcome::Closed { executed },
            (reason, Executed::No) => Outcome::NotExecuted(reason),
            (reason, Executed::Maybe) => Outcome::Unknown(reason),
        };
        self.finish(call, outcome);
    }

    fn cancel_request(&mut self, request: RequestId, peer: PeerId) {
        let Some(open) = self.requests.get(request).filter(|open| open.peer == peer) else {
            return;
        };
        if open.progress == Progress::Serving {
            self.actions.push_back(Action::Cancelled(request));
        }
        self.requests.remove(request);
    }
}
