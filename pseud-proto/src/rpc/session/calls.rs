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
    slab: Slab<PendingCall>,
    ids: Ids,
    dialect: Dialect,
    pub(crate) next: Next,
}

impl Calls {
    pub(crate) fn new(machine: MachineId, dialect: Dialect, rng: &mut impl Rng) -> Self {
        let (slab, ids) = (Slab::new(machine), Ids::new(rng));
        Self { slab, ids, dialect, next: Next::default() }
    }

    pub(crate) fn len(&self) -> usize {
        self.slab.len()
    }

    /// The key and the id that the next [`insert`](Self::insert) is for.
    #[inline]
    pub(crate) fn place(&mut self) -> Placed {
        let key = self.slab.next_key();
        Placed { key, id: self.ids.mint(key.index, self.dialect) }
    }

    pub(crate) fn insert(&mut self, call: PendingCall) -> Key {
        self.next.note(call.deadline);
        self.slab.insert(call)
    }

    /// The call that an answer with this id is for.
    pub(crate) fn find(&self, id: &[u8]) -> Option<(Key, &PendingCall)> {
        let (key, call) = self.slab.occupant(self.ids.slot(id)?)?;
        (call.id.as_bytes() == id).then_some((key, call))
    }

    pub(crate) fn get(&self, key: Key) -> Option<&PendingCall> {
        self.slab.get(key)
    }

    /// Its message is another one, which ends there and takes so much.
    pub(crate) fn moved(&mut self, key: Key, end: u64, cost: usize) {
        if let Some(call) = self.slab.get_mut(key) {
            (call.end, call.cost) = (end, cost);
        }
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<PendingCall> {
        let removed = self.slab.remove(key);
        if self.slab.is_empty() {
            self.next.clear();
        }
        removed
    }

    /// The calls whose time is up. The earliest of the others becomes `next`.
    pub(crate) fn overdue(&mut self, now: Instant) -> Vec<Key> {
        self.next.clear();
        let mut overdue = Vec::new();
        for (key, call) in self.slab.iter() {
            match call.deadline {
                at if at <= now => overdue.push(key),
                at => self.next.note(at),
            }
        }
        overdue
    }

    pub(crate) fn keys(&self) -> Vec<Key> {
        self.slab.keys()
    }

    /// Whether what waits is still to be sent, as far as that is known here.
    pub(crate) fn is_live(&self, entry: &Entry) -> bool {
        entry.call().is_none_or(|call| self.get(call).is_some())
    }
}
