//! The machine: sessions of many peers, calls both ways. Messages and time in, actions out.

use crate::base::slab::{MachineId, Slab};
use crate::call::peer::PeerInfo;
use crate::call::{Action, Outcome, PeerId, RequestId};
use crate::error::{Executed, Reason};
use crate::rpc::calls::Calls;
use crate::rpc::config::Config;
use crate::rpc::identities::Names;
use crate::rpc::parked::Parked;
use crate::rpc::requests::{Progress, Requests};
use crate::rpc::session::Session;
use crate::rpc::stats::{Deadlines, Stats};
use crate::rpc::unreachable::Unreachable;
use crate::rpc::users::Users;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::VecDeque;
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
    pub(crate) rng: ChaCha20Rng,
    pub(crate) sessions: Slab<Session>,
    pub(crate) names: Names,
    pub(crate) users: Users,
    pub(crate) parked: Parked,
    pub(crate) unreachable: Unreachable,
    pub(crate) calls: Calls,
    pub(crate) requests: Requests,
    /// For fingerprints of ids.
    pub(crate) print_key: u64,
    pub(crate) actions: VecDeque<Action>,
    pub(crate) stats: Stats,
    pub(crate) draining: bool,
    pub(crate) shut_down: bool,
}

impl Endpoint {
    /// A machine without sessions. All its randomness comes from `seed`: the same seed and the same
    /// inputs give the same run, so draw it from the operating system.
    pub fn new(config: Arc<Config>, seed: [u8; 32]) -> Self {
        let mut rng = ChaCha20Rng::from_seed(seed);
        let machine = MachineId(rng.next_u32());
        Self {
            config,
            sessions: Slab::new(machine),
            names: Names::default(),
            users: Users::default(),
            parked: Parked::default(),
            unreachable: Unreachable::default(),
            calls: Calls::new(machine, &mut rng),
            requests: Requests::new(machine),
            print_key: rng.next_u64(),
            actions: VecDeque::new(),
            stats: Stats::default(),
            draining: false,
            shut_down: false,
            rng,
        }
    }

    /// The next thing to do, in order.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// The earliest moment at which [`handle_timeout`](Self::handle_timeout) has something to do;
    /// it may be early, never late. `None` when no call and no guarded request is open.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match (self.calls.next.get(), self.requests.next.get()) {
            (Some(call), Some(guard)) => Some(call.min(guard)),
            (call, guard) => call.or(guard),
        }
    }

    /// What happened so far.
    pub fn stats(&self) -> Stats {
        let mut stats = self.stats.clone();
        stats.sessions = self.sessions.len();
        stats.calls_pending = self.calls.len();
        stats.requests_open = self.requests.len();
        stats.requests_open_bytes = self.requests.serving_bytes;
        stats
    }

    /// Counts the deadlines that live in the slots.
    pub fn count_deadlines(&self) -> Deadlines {
        Deadlines { calls: self.calls.len(), guards: self.requests.count_guards() }
    }

    /// The session that holds that routing id now.
    pub fn peer_named(&self, identity: &[u8]) -> Option<PeerId> {
        self.names.holder(identity)
    }

    /// The sessions that are authenticated as that user, the newest last. A further link of a node that
    /// has one already is not among them while it stands by.
    pub fn sessions_of(&self, user: &[u8]) -> &[PeerId] {
        self.users.sessions(user)
    }

    /// Who is behind a session; `None` once it has ended.
    pub fn peer_info(&self, peer: PeerId) -> Option<&Arc<PeerInfo>> {
        Some(&self.sessions.get(peer.0)?.info)
    }

    /// Whether at most one call or request is open between that peer and us: then writing at once
    /// beats gathering what else there may be.
    pub fn is_quiet(&self, peer: PeerId) -> bool {
        let open = |session: &Session| session.calls_pending + session.requests_open;
        self.sessions.get(peer.0).is_some_and(|session| open(session) <= 1)
    }

    /// Time has passed: calls whose deadline is over end, replies that would come too late are
    /// dropped. Cheap if nothing is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.calls.next.is_due(now) {
            self.end_overdue_calls(now);
        }
        if self.requests.next.is_due(now) {
            self.drop_overdue_replies(now);
        }
    }

    fn end_overdue_calls(&mut self, now: Instant) {
        let no_link = self.unreachable.why();
        for call in self.calls.overdue(now) {
            let Some(known) = self.calls.get(call) else { continue };
            let reason = known.overdue(no_link);
            self.end_call(call, reason);
        }
    }

    fn drop_overdue_replies(&mut self, now: Instant) {
        for request in self.requests.overdue(now) {
            let Some(open) = self.requests.get(request) else { continue };
            match (open.progress, open.peer) {
                (Progress::Serving, _) => self.requests.guard_passed(request),
                (Progress::Answered, _) => self.withhold(request),
                (Progress::Pulled, peer) => {
                    self.tell_withheld(request);
                    self.close(peer, Reason::LateReply);
                }
            }
        }
    }

    /// Takes no new requests: they are refused as [`Refusal::Draining`](crate::Refusal), and what is open goes on.
    pub fn drain(&mut self) {
        self.draining = true;
    }

    /// Whether no call and no request is open, and every answer is written. Requests that are refused
    /// since we [`drain`](Self::drain) do not count: else a peer that keeps asking, or does not read
    /// that it is refused, could put that off for ever.
    pub fn is_idle(&self) -> bool {
        self.calls.len() == 0 && self.requests.is_done()
    }

    /// Whether somebody still waits for that request to be answered.
    pub fn is_open(&self, request: RequestId) -> bool {
        let open = self.requests.get(request);
        open.is_some_and(|open| open.progress == Progress::Serving)
    }

    /// Ends the calls that wait for a link which will not come.
    pub(crate) fn end_parked_calls(&mut self, why: Reason) {
        for call in self.calls.parked(false) {
            self.end_call(call, why);
        }
    }

    /// Ends everything: every call as `Closed`, every session as [`Reason::Shutdown`]. Later calls
    /// end as `Closed` at once.
    pub fn shutdown(&mut self, _now: Instant) {
        self.shut_down = true;
        for key in self.sessions.keys() {
            self.close(PeerId(key), Reason::Shutdown);
        }
        for call in self.calls.all() {
            self.finish(call, Outcome::Closed { executed: Executed::No });
        }
        self.names = Names::default();
        self.users = Users::default();
        self.parked = Parked::default();
    }
}
