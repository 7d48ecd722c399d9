//! Who is there: names and users, and the calls that wait for them.

pub(crate) mod find;
pub(crate) mod identities;
pub(crate) mod looking;
pub(crate) mod member;
pub(crate) mod members;
pub(crate) mod parked;
pub(crate) mod shares;
pub(crate) mod unnamed;
pub(crate) mod unreachable;
pub(crate) mod users;
pub(crate) mod waiting;

use crate::base::slab::{Key, MachineId, Slab};
use crate::call::PeerId;
use crate::call::peer::PeerInfo;
use crate::error::Reason;
use crate::rpc::budget::Budget;
use crate::rpc::config::Config;
use crate::rpc::directory::identities::Names;
use crate::rpc::directory::member::Member;
use crate::rpc::directory::parked::{Awaited, Parked};
use crate::rpc::directory::shares::Shares;
use crate::rpc::directory::unnamed::Unnamed;
use crate::rpc::directory::unreachable::Unreachable;
use crate::rpc::directory::users::Users;
use crate::rpc::session::entry::{NewCall, Place};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::sync::Arc;
use std::time::Instant;

/// Whom names and users mean now, and who waits for whom: sans-IO.
///
/// It holds no session and never looks into one, so it can live under a lock of its own that is taken
/// when a link comes or goes, when a call names somebody, and never for an answer. A driver tells it of
/// each session [that begins](Self::join) and [that ends](Self::leave), and does what it says:
///
/// 1. [`join`](Self::join): who is to be ended first, if anybody; end those sessions, tell
///    [`leave`](Self::leave), then make the [`Session`](crate::rpc::session::Session);
/// 2. [`welcome`](Self::welcome): from now on it can be found, and here are the calls that waited for
///    it. Until then callers wait;
/// 3. [`leave`](Self::leave), with the session's own reason, once it has ended: perhaps somebody
///    inherits its name, and is sent what waited for that ([`waiting_for`](Self::waiting_for)).
#[derive(Debug)]
pub struct Directory {
    pub(crate) config: Arc<Config>,
    pub(crate) budget: Arc<Budget>,
    pub(crate) rng: ChaCha20Rng,
    pub(crate) members: Slab<Member>,
    pub(crate) names: Names,
    pub(crate) users: Users,
    pub(crate) unnamed: Unnamed,
    pub(crate) shares: Shares,
    pub(crate) parked: Parked,
    pub(crate) unreachable: Unreachable,
    shut_down: bool,
}

impl Directory {
    /// Nobody is there. All randomness of the node's sessions comes from `seed`.
    pub fn new(config: Arc<Config>, budget: Arc<Budget>, seed: [u8; 32]) -> Self {
        let mut rng = ChaCha20Rng::from_seed(seed);
        let machine = MachineId(rng.next_u32());
        Self {
            config,
            budget,
            rng,
            members: Slab::new(machine),
            names: Names::default(),
            users: Users::default(),
            unnamed: Unnamed::default(),
            shares: Shares::default(),
            parked: Parked::new(machine),
            unreachable: Unreachable::default(),
            shut_down: false,
        }
    }

    pub(crate) fn machine(&self) -> MachineId {
        self.members.machine()
    }

    /// Who is behind a session; `None` once it has left.
    pub fn peer_info(&self, peer: PeerId) -> Option<&Arc<PeerInfo>> {
        Some(&self.members.get(peer.0)?.info)
    }

    /// All sessions that are there.
    pub fn sessions(&self) -> Vec<PeerId> {
        self.members.keys().into_iter().map(PeerId).collect()
    }

    /// Sessions that are there and have not logged in, where they must.
    pub fn sessions_unnamed(&self) -> usize {
        self.unnamed.len()
    }

    /// Whether nobody comes in any more.
    pub fn is_shut_down(&self) -> bool {
        self.shut_down
    }

    /// Takes no new requests: the budget is closed.
    pub fn drain(&mut self) {
        self.budget.close();
    }

    /// Nobody comes in any more. Returns the calls that waited.
    pub fn shutdown(&mut self) -> Vec<NewCall> {
        self.shut_down = true;
        self.give_up_all(false)
    }

    // ---- calls that wait ---------------------------------------------------------------------

    /// Lets a call wait for somebody: at most until `until`, and its deadline. Its
    /// place in the budget stays taken.
    pub fn park(
        &mut self,
        whom: Awaited,
        mut call: NewCall,
        until: Instant,
        to_server: bool,
    ) -> Parking {
        if call.place == Place::None {
            call.place = Place::Pending;
        }
        let until = until.min(call.deadline);
        Parking(self.parked.park(whom, call, until, to_server))
    }

    /// A call that waits is given up, and its place in the budget free. `None`: it waits no more.
    pub fn give_up(&mut self, parking: Parking) -> Option<NewCall> {
        let call = self.parked.remove(parking.0);
        call.iter().for_each(|call| self.budget.give_up_call(call));
        call
    }

    pub(crate) fn give_up_all(&mut self, only_to_server: bool) -> Vec<NewCall> {
        let calls = self.parked.take_all(only_to_server);
        calls.iter().for_each(|call| self.budget.give_up_call(call));
        calls
    }

    /// The earliest moment at which [`handle_timeout`](Self::handle_timeout) has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.parked.next.get()
    }

    /// The calls that have waited for too long, and why they end.
    pub fn handle_timeout(&mut self, now: Instant) -> Vec<(NewCall, Reason)> {
        if !self.parked.next.is_due(now) {
            return Vec::new();
        }
        let overdue = self.parked.overdue(now, self.unreachable.why());
        overdue.iter().for_each(|(call, _)| self.budget.give_up_call(call));
        overdue
    }

    /// Says why there is no link to the configured server, for calls that end while they wait for one:
    /// what came of connecting to it. If that is final, returns those that wait: they end so.
    pub fn set_unreachable(
        &mut self,
        why: Option<Reason>,
        is_final: bool,
    ) -> Vec<(NewCall, Reason)> {
        self.unreachable.say(why, is_final);
        let Some(why) = self.unreachable.is_final() else { return Vec::new() };
        self.give_up_all(true).into_iter().map(|call| (call, why)).collect()
    }
}

/// Names a call that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parking(Key);

/// The node's budget has all calls that wait.
impl Drop for Directory {
    fn drop(&mut self) {
        self.give_up_all(false);
    }
}
