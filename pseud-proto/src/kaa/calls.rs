//! Calls that we made, by the numbers of their packets.

use crate::base::deadline::Next;
use crate::base::slab::{MachineId, Slab};
use crate::call::CallId;
use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

/// One call that is not over.
#[derive(Debug)]
pub(super) struct KaaCall {
    pub(super) seq: u32,
    pub(super) deadline: Instant,
    /// Its packet, while the link is not open.
    pub(super) waiting: Option<Vec<u8>>,
    /// Where its packet ends in the bytes of its link.
    pub(super) end: u64,
}

#[derive(Debug)]
pub(super) struct KaaCalls {
    calls: Slab<KaaCall>,
    by_seq: BTreeMap<u32, CallId>,
    /// In the order in which they were made.
    waiting: VecDeque<CallId>,
    waiting_bytes: usize,
    last_seq: u32,
    deadline: Next,
}

impl KaaCalls {
    pub(super) fn new(machine: MachineId) -> Self {
        Self {
            calls: Slab::new(machine),
            by_seq: BTreeMap::new(),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            last_seq: 0,
            deadline: Next::default(),
        }
    }

    /// The number of the next call: kaa.rpc counts from 1 (`src/rpc.py`, `_next_seq`). One that is in use is
    /// skipped.
    pub(super) fn next_seq(&self) -> u32 {
        let mut seq = self.last_seq.wrapping_add(1).max(1);
        while self.by_seq.contains_key(&seq) {
            seq = seq.wrapping_add(1).max(1);
        }
        seq
    }

    /// The numbers go on from there.
    #[cfg(test)]
    pub(super) fn count_from(&mut self, seq: u32) {
        self.last_seq = seq;
    }

    pub(super) fn insert(&mut self, call: KaaCall) -> CallId {
        let (seq, deadline) = (call.seq, call.deadline);
        let waits = call.waiting.as_ref().map(Vec::len);
        let id = CallId(self.calls.insert(call));
        self.by_seq.insert(seq, id);
        self.last_seq = seq;
        self.deadline.note(deadline);
        if let Some(bytes) = waits {
            self.waiting.push_back(id);
            self.waiting_bytes += bytes;
        }
        id
    }

    pub(super) fn by_seq(&self, seq: u32) -> Option<CallId> {
        self.by_seq.get(&seq).copied()
    }

    pub(super) fn remove(&mut self, id: CallId) -> Option<KaaCall> {
        let call = self.calls.remove(id.0)?;
        self.by_seq.remove(&call.seq);
        if let Some(packet) = &call.waiting {
            self.waiting_bytes -= packet.len();
            self.waiting.retain(|other| *other != id);
        }
        Some(call)
    }

    /// The next packet that waited, to be written by the function, which says where it ends.
    pub(super) fn release(&mut self, put: impl FnOnce(Vec<u8>) -> u64) -> bool {
        let Some(id) = self.waiting.pop_front() else { return false };
        if let Some(call) = self.calls.get_mut(id.0)
            && let Some(packet) = call.waiting.take()
        {
            self.waiting_bytes -= packet.len();
            call.end = put(packet);
        }
        true
    }

    pub(super) fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }

    /// All of them, in the order in which they were made.
    pub(super) fn all(&self) -> Vec<CallId> {
        let mut all: Vec<_> = self.by_seq.iter().map(|(seq, id)| (*seq, *id)).collect();
        // Numbers that have begun anew are the newer ones.
        all.sort_by_key(|(seq, _)| seq.wrapping_sub(self.last_seq).wrapping_sub(1));
        all.into_iter().map(|(_, id)| id).collect()
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.deadline.get().filter(|_| !self.calls.is_empty())
    }

    /// Those whose time is over.
    pub(super) fn overdue(&mut self, now: Instant) -> Vec<CallId> {
        if !self.deadline.is_due(now) {
            return Vec::new();
        }
        self.deadline.clear();
        let mut overdue = Vec::new();
        for (key, call) in self.calls.iter() {
            match call.deadline <= now {
                true => overdue.push(CallId(key)),
                false => self.deadline.note(call.deadline),
            }
        }
        overdue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n_08_numbers_skip_those_in_use_and_zero() {
        let now = Instant::now();
        let mut calls = KaaCalls::new(MachineId(1));
        let call = |calls: &mut KaaCalls| {
            let seq = calls.next_seq();
            calls.insert(KaaCall { seq, deadline: now, waiting: None, end: 0 });
            seq
        };
        assert_eq!(call(&mut calls), 1);
        assert_eq!(call(&mut calls), 2);
        calls.count_from(u32::MAX - 1);
        assert_eq!(call(&mut calls), u32::MAX);
        assert_eq!(call(&mut calls), 3);
        let seqs: Vec<_> =
            calls.all().iter().map(|id| calls.calls.get(id.0).unwrap().seq).collect();
        assert_eq!(seqs, [u32::MAX, 1, 2, 3], "by number, from the oldest that may be there");
    }
}
