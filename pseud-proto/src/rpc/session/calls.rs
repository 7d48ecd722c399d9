//! Calls of ours at one peer: from the message in the output to the one outcome.

use crate::base::deadline::Next;
use crate::base::slab::{Key, MachineId, Slab};
use crate::rpc::session::entry::Entry;
use crate::rpc::session::ids::{Dialect, Ids, OwnId};
use rand_chacha::rand_core::Rng;
use std::time::Instant;

/// Names a pending call in its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallKey(pub(super) Key);

/// One pending call. How far it has come is said by its message's position in the output.
#[derive(Debug)]
pub(crate) struct PendingCall {
    /// The driver's name for it.
    pub(crate) tag: u64,
    pub(crate) id: OwnId,
    pub(crate) deadline: Instant,
    /// Where its message ends.
    pub(crate) end: u64,
    /// What its message takes while it waits.
    pub(crate) cost: usize,
}

/// A call that is about to be: its place is taken, and its message not made.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) key: Key,
    pub(crate) id: OwnId,
}

/// The pending calls of one session. An id names its slot, and all of it must match.
#[derive(Debug)]
pub(crate) struct Calls {
    ids: Ids,
    machine: MachineId,
    live: u32,
    dialect: Dialect,
    next: Next,
    /// Made for the first one: many a peer is never called.
    pending: Option<Box<Slab<PendingCall>>>,
}

impl Calls {
    pub(crate) fn new(machine: MachineId, dialect: Dialect, rng: &mut impl Rng) -> Self {
        let (ids, live, next) = (Ids::new(rng), 0, Next::default());
        Self { ids, machine, live, dialect, next, pending: None }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.live as usize
    }

    /// The earliest deadline: it may be early, never late.
    #[inline]
    pub(crate) fn next(&self) -> Option<Instant> {
        self.next.get()
    }

    /// The key and the id that the next [`insert`](Self::insert) is for.
    #[inline]
    pub(crate) fn place(&mut self) -> Placed {
        let machine = self.machine;
        let key = self.pending.get_or_insert_with(|| begin(machine)).next_key();
        Placed { key, id: self.ids.mint(key.index, self.dialect) }
    }

    #[inline]
    pub(crate) fn insert(&mut self, call: PendingCall) -> Key {
        let machine = self.machine;
        self.next.note(call.deadline);
        self.live += 1;
        self.pending.get_or_insert_with(|| begin(machine)).insert(call)
    }

    /// The call that an answer with this id is for.
    #[inline]
    pub(crate) fn find(&self, id: &[u8]) -> Option<(Key, &PendingCall)> {
        let (key, call) = self.pending.as_ref()?.occupant(self.ids.slot(id)?)?;
        (call.id.as_bytes() == id).then_some((key, call))
    }

    #[inline]
    pub(crate) fn get(&self, key: Key) -> Option<&PendingCall> {
        self.pending.as_ref()?.get(key)
    }

    /// Its message is another one, which ends there and takes so much.
    pub(crate) fn moved(&mut self, key: Key, end: u64, cost: usize) {
        let call = self.pending.as_mut().and_then(|pending| pending.get_mut(key));
        if let Some(call) = call {
            (call.end, call.cost) = (end, cost);
        }
    }

    #[inline]
    pub(crate) fn remove(&mut self, key: Key) -> Option<PendingCall> {
        let removed = self.pending.as_mut()?.remove(key)?;
        self.live -= 1;
        if self.live == 0 {
            self.next.clear();
        }
        Some(removed)
    }

    /// The calls whose time is up. The earliest of the others becomes `next`.
    pub(crate) fn overdue(&mut self, now: Instant) -> Vec<Key> {
        let mut overdue = Vec::new();
        self.next.clear();
        for (key, call) in self.pending.iter().flat_map(|pending| pending.iter()) {
            match call.deadline {
                at if at <= now => overdue.push(key),
                at => self.next.note(at),
            }
        }
        overdue
    }

    pub(crate) fn keys(&self) -> Vec<Key> {
        self.pending.as_ref().map_or_else(Vec::new, |pending| pending.keys())
    }

    /// Whether what waits is still to be sent, as far as that is known here.
    pub(crate) fn is_live(&self, entry: &Entry) -> bool {
        entry.call().is_none_or(|call| self.get(call).is_some())
    }
}

#[cold]
#[inline(never)]
fn begin(machine: MachineId) -> Box<Slab<PendingCall>> {
    Box::new(Slab::new(machine))
}
