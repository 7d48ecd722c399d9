//! Calls of ours: from the call to its one outcome.

use crate::base::deadline::Next;
use crate::base::slab::{Key, MachineId, Slab};
use crate::call::{CallId, PeerId};
use crate::error::{Executed, Reason};
use crate::message::outgoing::Token;
use crate::rpc::parked::Awaited;
use crate::rpc::session::Queued;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::Rng;
use std::time::Instant;

/// How far a call has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It waits for somebody to hold the routing id that it is for.
    Parked,
    /// In its peer's queue.
    Queued,
    /// Handed to the connection: its bytes may yet leave.
    Pulled,
    /// Written: the far handler may run.
    Sent,
}

/// One pending call.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) peer: Option<PeerId>,
    pub(crate) stage: Stage,
    pub(crate) id: [u8; 16],
    pub(crate) deadline: Instant,
    /// When it gives up waiting for a link: at most the deadline.
    pub(crate) parked_until: Instant,
    /// What its entry in a queue takes, while it is in one.
    pub(crate) cost: usize,
    /// Whom it waits for, while it is parked.
    pub(crate) awaited: Option<Box<Awaited>>,
    /// Whether it is for the configured server.
    pub(crate) to_server: bool,
}

impl Call {
    /// The moment at which it ends by itself.
    pub(crate) fn ends_at(&self) -> Instant {
        match self.stage {
            Stage::Parked => self.parked_until,
            Stage::Queued | Stage::Pulled | Stage::Sent => self.deadline,
        }
    }

    /// Whether the far handler may have run, should the call end now without an answer although its
    /// link lives: pulled bytes may yet leave, or have left and not been reported yet.
    pub(crate) fn executed(&self) -> Executed {
        match self.stage {
            Stage::Parked | Stage::Queued => Executed::No,
            Stage::Pulled | Stage::Sent => Executed::Maybe,
        }
    }

    /// The same should it end since its link is gone: what was not written whole never arrives.
    pub(crate) fn executed_when_gone(&self) -> Executed {
        match self.stage {
            Stage::Parked | Stage::Queued | Stage::Pulled => Executed::No,
            Stage::Sent => Executed::Maybe,
        }
    }

    /// Why it ends when its time is up, where `no_link` is why nobody is there.
    pub(crate) fn overdue(&self, no_link: Reason) -> Reason {
        match self.stage {
            Stage::Parked if self.to_server => no_link,
            Stage::Parked => Reason::NotConnected,
            Stage::Queued | Stage::Pulled | Stage::Sent => Reason::TimedOut,
        }
    }
}

/// The pending calls of one endpoint.
///
/// A call's wire id is a uuid4 whose first four bytes are its slot under a mask, so an answer finds
/// its call without a search; the other bytes are random, and all 16 must match.
#[derive(Debug)]
pub(crate) struct Calls {
    slab: Slab<Call>,
    mask: u32,
    pub(crate) next: Next,
}

impl Calls {
    pub(crate) fn new(machine: MachineId, rng: &mut ChaCha20Rng) -> Self {
        Self { slab: Slab::new(machine), mask: rng.next_u32(), next: Next::default() }
    }

    pub(crate) fn len(&self) -> usize {
        self.slab.len()
    }

    /// A call that is to end at `deadline`, and while it is parked at `parked_until`.
    pub(crate) fn insert(
        &mut self,
        deadline: Instant,
        parked_until: Instant,
        to_server: bool,
        rng: &mut ChaCha20Rng,
    ) -> CallId {
        let id = self.mint(self.slab.next_key(), rng);
        let parked_until = parked_until.min(deadline);
        self.next.note(parked_until);
        let stage = Stage::Parked;
        let (peer, cost, awaited) = (None, 0, None);
        let call = Call { peer, stage, id, deadline, parked_until, cost, awaited, to_server };
        CallId(self.slab.insert(call))
    }

    fn mint(&self, key: Key, rng: &mut ChaCha20Rng) -> [u8; 16] {
        let mut random = [0; 16];
        rng.fill_bytes(&mut random);
        if let Some(slot) = random.first_chunk_mut() {
            *slot = (key.index ^ self.mask).to_be_bytes();
        }
        uuid::Builder::from_random_bytes(random).into_uuid().into_bytes()
    }

    /// The call that an answer with this id is for.
    pub(crate) fn find(&self, id: &[u8]) -> Option<(CallId, &Call)> {
        let slot = u32::from_be_bytes(*id.first_chunk()?) ^ self.mask;
        let (key, call) = self.slab.occupant(slot)?;
        (call.id == id).then_some((CallId(key), call))
    }

    pub(crate) fn get(&self, call: CallId) -> Option<&Call> {
        self.slab.get(call.0)
    }

    /// Its entry, which takes that much, goes where calls wait for somebody.
    pub(crate) fn park_for(&mut self, call: CallId, whom: &Awaited, cost: usize) {
        if let Some(slot) = self.slab.get_mut(call.0) {
            slot.awaited = Some(Box::new(whom.clone()));
            slot.cost = cost;
        }
    }

    /// Its entry, which takes that much, goes into a peer's queue: from now on its own deadline counts.
    pub(crate) fn queue_at(&mut self, call: CallId, peer: PeerId, cost: usize) -> bool {
        let Some(slot) = self.slab.get_mut(call.0) else { return false };
        slot.peer = Some(peer);
        slot.awaited = None;
        slot.cost = cost;
        slot.stage = Stage::Queued;
        self.next.note(slot.deadline);
        true
    }

    /// Moves a queued call on.
    pub(crate) fn pulled(&mut self, call: CallId) {
        if let Some(slot) = self.slab.get_mut(call.0) {
            slot.stage = Stage::Pulled;
        }
    }

    pub(crate) fn sent(&mut self, call: CallId, peer: PeerId) {
        if let Some(slot) = self.slab.get_mut(call.0)
            && slot.peer == Some(peer)
        {
            slot.stage = Stage::Sent;
        }
    }

    pub(crate) fn remove(&mut self, call: CallId) -> Option<Call> {
        let removed = self.slab.remove(call.0);
        if self.slab.is_empty() {
            self.next.clear();
        }
        removed
    }

    /// The calls whose time is up. The earliest of the others becomes `next`.
    pub(crate) fn overdue(&mut self, now: Instant) -> Vec<CallId> {
        self.next.clear();
        let mut overdue = Vec::new();
        for (key, call) in self.slab.iter() {
            match call.ends_at() {
                at if at <= now => overdue.push(CallId(key)),
                at => self.next.note(at),
            }
        }
        overdue
    }

    /// The calls that wait for a link, or only those for the configured server.
    pub(crate) fn parked(&self, only_to_server: bool) -> Vec<CallId> {
        let waits = |call: &Call| call.to_server || !only_to_server;
        let parked =
            self.slab.iter().filter(|(_, call)| call.stage == Stage::Parked && waits(call));
        parked.map(|(key, _)| CallId(key)).collect()
    }

    pub(crate) fn all(&self) -> Vec<CallId> {
        self.slab.keys().into_iter().map(CallId).collect()
    }

    pub(crate) fn is_live(&self, entry: &Queued) -> bool {
        match entry {
            Queued::Call { call, .. } => self.get(*call).is_some(),
            Queued::Reply { .. } => true,
        }
    }
}

/// Names a call of ours, or a reply, on its way through a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sending {
    Call(Key),
    Reply(Key),
}

/// One bit of a token says which table the key is of; a slab never has 2³¹ slots.
const REPLY: u64 = 1 << 63;

impl From<Sending> for Token {
    fn from(sending: Sending) -> Self {
        let (key, bit) = match sending {
            Sending::Call(key) => (key, 0),
            Sending::Reply(key) => (key, REPLY),
        };
        Token(bit | u64::from(key.index) << 32 | u64::from(key.generation))
    }
}

impl Sending {
    /// What that token names among what the machine of that id sends.
    pub(crate) fn named(Token(bits): Token, machine: MachineId) -> Self {
        let index = ((bits & !REPLY) >> 32) as u32;
        let key = Key { machine, index, generation: bits as u32 };
        if bits & REPLY == 0 { Self::Call(key) } else { Self::Reply(key) }
    }
}
