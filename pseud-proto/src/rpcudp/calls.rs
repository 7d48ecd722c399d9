//! The calls that wait for their answers (`rpcudp/protocol.py`, `_outstanding`).

use crate::base::deadline;
use crate::base::slab::{Key, MachineId, Slab};
use crate::dialect::rpcudp::datagram::MessageId;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// A call of ours.
#[derive(Debug)]
pub(super) struct DatagramCall {
    pub(super) id: MessageId,
    /// Where it goes, as a [source](super::source::canonical) of its answer would be.
    pub(super) to: SocketAddr,
    /// How often it was handed to the driver to be sent.
    pub(super) pulled: u32,
    /// Whether a datagram of it waits to be sent: no second one joins it.
    pub(super) is_queued: bool,
    deadline: Instant,
    /// What is to be done with it next, and when: its end or its next sending.
    due: Instant,
    resend: Option<Resend>,
}

/// What is sent again while no answer comes.
#[derive(Debug, Clone)]
pub(super) struct Resend {
    pub(super) every: Duration,
    pub(super) address: SocketAddr,
    pub(super) datagram: Bytes,
}

/// What is due.
pub(super) enum DueCall {
    /// The call's time is over.
    Over(Key),
    /// It is to be sent again.
    Again(Key, Resend),
}

/// All of them, by key, by id, and by when they are due.
#[derive(Debug)]
pub(super) struct DatagramCalls {
    slab: Slab<DatagramCall>,
    by_id: BTreeMap<MessageId, Key>,
    due: BTreeSet<(Instant, Key)>,
}

impl DatagramCalls {
    pub(super) fn new(machine: MachineId) -> Self {
        Self { slab: Slab::new(machine), by_id: BTreeMap::new(), due: BTreeSet::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.slab.len()
    }

    pub(super) fn insert(
        &mut self,
        id: MessageId,
        to: SocketAddr,
        wait: Duration,
        resend: Option<Resend>,
        now: Instant,
    ) -> Key {
        let deadline = deadline::after(now, wait);
        let due = due(deadline, resend.as_ref(), now);
        let key = self.slab.insert(DatagramCall {
            id,
            to,
            pulled: 0,
            is_queued: false,
            deadline,
            due,
            resend,
        });
        self.by_id.insert(id, key);
        self.due.insert((due, key));
        key
    }

    /// The call of that id.
    pub(super) fn find(&self, id: &MessageId) -> Option<(Key, &DatagramCall)> {
        let key = *self.by_id.get(id)?;
        Some((key, self.slab.get(key)?))
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut DatagramCall> {
        self.slab.get_mut(key)
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<DatagramCall> {
        let call = self.slab.remove(key)?;
        self.by_id.remove(&call.id);
        self.due.remove(&(call.due, key));
        Some(call)
    }

    pub(super) fn keys(&self) -> Vec<Key> {
        self.slab.keys()
    }

    /// Those that go to that address.
    pub(super) fn to(&self, address: SocketAddr) -> Vec<Key> {
        self.slab.iter().filter(|(_, call)| call.to == address).map(|(key, _)| key).collect()
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// One that is due; a call that is to be sent again is due later from here on.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<DueCall> {
        let &(at, key) = self.due.first().filter(|(at, _)| *at <= now)?;
        let call = self.slab.get_mut(key)?;
        match call.resend.clone() {
            Some(resend) if call.deadline > now => {
                self.due.remove(&(at, key));
                call.due = due(call.deadline, Some(&resend), now);
                self.due.insert((call.due, key));
                Some(DueCall::Again(key, resend))
            }
            _ => Some(DueCall::Over(key)),
        }
    }
}

fn due(deadline: Instant, resend: Option<&Resend>, now: Instant) -> Instant {
    resend.map_or(deadline, |resend| deadline.min(deadline::after(now, resend.every)))
}
