//! The machine: sessions of many peers, calls both ways. Messages and time in, actions out.

pub(crate) mod calling;
pub(crate) mod logins;
pub(crate) mod outbox;
pub(crate) mod serving;
pub(crate) mod sessions;

use crate::base::deadline::Next;
use crate::base::slab::{MachineId, Secondary, Slab};
use crate::call::peer::PeerInfo;
use crate::call::{Action, PeerId, RequestId, To};
use crate::error::{Executed, Reason};
use crate::rpc::budget::Budget;
use crate::rpc::config::Config;
use crate::rpc::directory::{Directory, Parking};
use crate::rpc::endpoint::outbox::Outbox;
use crate::rpc::session::calls::CallKey;
use crate::rpc::session::entry::NewCall;
use crate::rpc::session::{Session, earlier};
use crate::rpc::stats::{Deadlines, Stats};
use std::sync::Arc;
use std::time::Instant;

/// Sessions, calls, names and queues of one peer that talks to many.
///
/// It sees whole messages, not bytes, and knows no socket, clock or thread. A [`Link`](crate::pseud::Link)
/// joins a connection to it. Drive it like this:
///
/// 1. after anything you do to it, drain [`poll_action`](Self::poll_action) until `None`;
/// 2. for a peer that an [`Action::Flush`] named, pull [`poll_transmit`](Self::poll_transmit) into
///    its connection while that one's backlog is low, write, and report what was written with
///    [`handle_written`](Self::handle_written); keep pulling until `None`: only then is `Flush`
///    armed again;
/// 3. wait for a message, a command of yours, or [`poll_timeout`](Self::poll_timeout);
/// 4. tell the machine, and go to 1.
///
/// Once a session has ended, by [`Action::Close`] or by [`handle_gone`](Self::handle_gone), nothing
/// more of its messages is written, not even the rest of one: its calls were told whether they had
/// left, and a late reply must not arrive.
///
/// `now` is the last argument wherever time matters; it may stand still but is best not turned back.
///
/// ```
/// use pseud_proto::pseud::{Endpoint, Link};
/// use pseud_proto::zmtp::{ConnectionConfig, Side};
/// use pseud_proto::Config;
/// use std::sync::Arc;
/// use std::time::Instant;
///
/// # let random = || [7; 32];
/// let (now, settings) = (Instant::now(), Arc::new(ConnectionConfig::default()));
/// let mut endpoint = Endpoint::new(Arc::new(Config::default()), random());
/// // One for each stream that was accepted; its greeting waits to be written.
/// let link = Link::new(&endpoint, settings, Side::Accepting, random(), now);
/// assert!(link.connection().backlog() > 0);
/// assert_eq!(endpoint.stats().sessions, 0);
/// endpoint.shutdown(now);
/// ```
#[derive(Debug)]
pub struct Endpoint {
    pub(crate) config: Arc<Config>,
    pub(crate) budget: Arc<Budget>,
    pub(crate) directory: Directory,
    pub(crate) sessions: Secondary<Session>,
    /// Calls until their end was taken from the actions.
    pub(crate) calls: Slab<CallPlace>,
    pub(crate) outbox: Outbox,
    /// Of all sessions.
    next: Next,
    /// Sessions that have a deadline.
    timed: usize,
}

/// Where a call is.
#[derive(Debug)]
pub(crate) enum CallPlace {
    Parked(Parking),
    At(PeerId, CallKey),
    /// It is over.
    Over,
}

impl Endpoint {
    /// A machine without sessions. All its randomness comes from `seed`: the same seed and the same
    /// inputs give the same run, so draw it from the operating system.
    pub fn new(config: Arc<Config>, seed: [u8; 32]) -> Self {
        let budget = Arc::new(Budget::new(&config));
        let directory = Directory::new(config.clone(), budget.clone(), seed);
        let machine = directory.machine();
        Self {
            config,
            budget,
            sessions: Secondary::new(machine),
            calls: Slab::new(machine),
            outbox: Outbox::new(machine),
            directory,
            next: Next::default(),
            timed: 0,
        }
    }

    pub(crate) fn machine(&self) -> MachineId {
        self.directory.machine()
    }

    /// The next thing to do, in order.
    #[inline]
    pub fn poll_action(&mut self) -> Option<Action> {
        let action = self.outbox.poll()?;
        if let Action::Finish { call, .. } = &action {
            self.calls.remove(call.0);
        }
        Some(action)
    }

    /// The earliest moment at which [`handle_timeout`](Self::handle_timeout) has something to do;
    /// it may be early, never late. `None` when no call and no guarded request is open.
    pub fn poll_timeout(&self) -> Option<Instant> {
        earlier(self.next.get(), self.directory.poll_timeout())
    }

    /// What happened so far.
    pub fn stats(&self) -> Stats {
        let (mut stats, taken) = (self.outbox.stats().clone(), self.budget.taken());
        stats.sessions = taken.sessions;
        stats.sessions_unnamed = self.directory.sessions_unnamed();
        stats.calls_pending = taken.calls;
        stats.partial_bytes = taken.partial_bytes;
        stats.requests_open_bytes = taken.request_bytes;
        stats.queued_bytes = taken.output_bytes;
        let sessions = self.sessions.iter().map(|(_, session)| session);
        stats.requests_open =
            sessions.map(|session| session.requests_open() + session.output.replies()).sum();
        stats
    }

    /// Counts the deadlines that live in the slots.
    pub fn count_deadlines(&self) -> Deadlines {
        let sessions = || self.sessions.iter().map(|(_, session)| session);
        let calls = sessions().map(Session::calls_pending).sum::<usize>();
        let guards = sessions().map(Session::count_guards).sum();
        Deadlines { calls: calls + self.directory.parked.len(), guards }
    }

    /// The session that holds that identity now.
    pub fn peer_named(&self, identity: &[u8]) -> Option<PeerId> {
        self.directory.peer_named(identity)
    }

    /// The sessions that are authenticated as that user, the newest last. A further link of a node that
    /// has one already is not among them while it stands by.
    pub fn sessions_of(&self, user: &[u8]) -> &[PeerId] {
        self.directory.sessions_of(user)
    }

    /// The session that a call to that would go to now; `None` where it would wait or be refused.
    pub fn session_of(&self, to: &To) -> Option<PeerId> {
        self.directory.session_of(to)
    }

    /// Who is behind a session; `None` once it has ended.
    pub fn peer_info(&self, peer: PeerId) -> Option<&Arc<PeerInfo>> {
        self.directory.peer_info(peer)
    }

    /// How many calls of ours are pending at that session, and how many of its requests are served; `None`
    /// once it has ended.
    pub fn open(&self, peer: PeerId) -> Option<(usize, usize)> {
        let session = self.sessions.get(peer.0)?;
        Some((session.calls_pending(), session.requests_open()))
    }

    /// The session of that name, as [`PeerId`] writes it, if it is there.
    pub fn session_named(&self, name: &str) -> Option<PeerId> {
        self.directory.session_named(name)
    }

    /// The same, whether it is there, was, or will be: a place in the order of sessions.
    pub fn place_named(&self, name: &str) -> Option<PeerId> {
        self.directory.place_named(name)
    }

    /// Whether at most one call or request is open between that peer and us: then writing at once
    /// beats gathering what else there may be.
    pub fn is_quiet(&self, peer: PeerId) -> bool {
        self.sessions.get(peer.0).is_some_and(Session::is_quiet)
    }

    /// How many requests of that peer are open.
    pub fn requests_open(&self, peer: PeerId) -> usize {
        self.sessions.get(peer.0).map_or(0, Session::requests_open)
    }

    /// Time has passed: calls whose deadline is over end, replies that would come too late are
    /// dropped. Cheap if nothing is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        for (call, why) in self.directory.handle_timeout(now) {
            self.outbox.not_executed(call.tag, why);
        }
        if !self.next.is_due(now) {
            return;
        }
        self.next.clear();
        let mut due = Vec::new();
        for (key, session) in self.sessions.iter() {
            match session.poll_timeout() {
                Some(at) if at <= now => due.push(PeerId(key)),
                Some(at) => self.next.note(at),
                None => {}
            }
        }
        for peer in due {
            self.visit(peer, |session, outbox| session.handle_timeout(now, outbox));
        }
    }

    /// Does something to a session, and what follows from it for others.
    pub(crate) fn visit<R>(
        &mut self,
        peer: PeerId,
        act: impl FnOnce(&mut Session, &mut Outbox) -> R,
    ) -> Option<R> {
        let session = self.sessions.get_mut(peer.0)?;
        let result = act(session, self.outbox.of(peer));
        let next = session.poll_timeout();
        if std::mem::replace(&mut session.is_timed, next.is_some()) != next.is_some() {
            self.timed = if next.is_some() { self.timed + 1 } else { self.timed - 1 };
        }
        match next {
            Some(at) => self.next.note(at),
            None if self.timed == 0 => self.next.clear(),
            None => {}
        }
        if session.ended().is_some() {
            self.left(peer, true);
        } else if self.budget.is_over() {
            self.close_largest();
        }
        Some(result)
    }

    /// So many bytes have come of that peer's next message: they count with what is queued for all peers
    /// ([`Limits::queue_bytes_total_max`](crate::Limits)).
    pub fn note_partial(&mut self, peer: PeerId, bytes: usize) {
        self.visit(peer, |session, _| session.note_partial(bytes));
    }

    /// All hold too much together: whoever holds most does not read.
    fn close_largest(&mut self) {
        if let Some(largest) = self.directory.largest_holder() {
            self.close(largest, Reason::SlowPeer);
        }
    }

    /// Takes no new requests: they are refused as [`Refusal::Draining`](crate::Refusal), and what is open goes on.
    pub fn drain(&mut self) {
        self.directory.drain();
    }

    /// Whether no call and no request is open, and every answer is written. Requests that are refused
    /// since we [`drain`](Self::drain) do not count: else a peer that keeps asking, or does not read
    /// that it is refused, could put that off for ever.
    pub fn is_idle(&self) -> bool {
        let taken = self.budget.taken();
        taken.calls == 0
            && taken.requests == 0
            && self.sessions.iter().all(|(_, session)| session.is_idle())
    }

    /// Whether somebody still waits for that request to be answered.
    pub fn is_open(&self, request: RequestId) -> bool {
        let session = self.sessions.get(request.peer.0);
        session.is_some_and(|session| session.is_awaited(request))
    }

    /// Ends the calls that wait for a link which will not come.
    pub(crate) fn end_parked_calls(&mut self, why: Reason) {
        for call in self.directory.give_up_all(false) {
            self.outbox.not_executed(call.tag, why);
        }
    }

    /// Says why there is no link to the configured server, for calls that end while they wait for one:
    /// what came of connecting to it ([`Reason::Denied`], [`Reason::PeerFault`]). `None` is
    /// [`Reason::NotConnected`]. Where links that we opened lead to others it is
    /// [`Reason::WrongName`], whatever is said.
    ///
    /// If that is final, those that wait and later ones end so at once, until something else is said.
    /// It means nothing while the server's link stands.
    pub fn set_unreachable(&mut self, why: Option<Reason>, is_final: bool, _now: Instant) {
        for (call, why) in self.directory.set_unreachable(why, is_final) {
            self.outbox.not_executed(call.tag, why);
        }
    }

    /// Ends everything: every call as `Closed`, every session as [`Reason::Shutdown`]. Later calls
    /// end as `Closed` at once.
    pub fn shutdown(&mut self, _now: Instant) {
        let parked = self.directory.shutdown();
        for key in self.sessions.keys() {
            self.close(PeerId(key), Reason::Shutdown);
        }
        for NewCall { tag, .. } in parked {
            self.outbox.closed(tag, Executed::No);
        }
    }
}
