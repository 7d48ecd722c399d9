//! One peer's session: who it is, and what waits to be sent to it.

use super::calls::Calls;
use super::grammar::Answer;
use super::provenance::Claim;
use super::seen::Seen;
use super::wire::WireId;
use crate::budget::Budget;
use crate::call::{CallId, RequestId};
use crate::config::Limits;
use crate::peer::PeerInfo;
use crate::value::Packed;
use smol_str::SmolStr;
use std::collections::VecDeque;
use std::sync::Arc;

/// A message that waits in a queue. Whether it still makes sense is judged when it is pulled.
#[derive(Debug)]
pub(super) enum Queued {
    Call { call: CallId, name: SmolStr, body: Packed, claim: Claim },
    Reply { request: RequestId, id: WireId, answer: Answer },
}

/// About what a queued message takes besides its body and name, in bytes.
pub(super) const QUEUED_COST: usize = 64;

impl Queued {
    /// What it counts for in the queue's bounds: its body, and about what its frames take.
    pub(super) fn cost(&self) -> usize {
        QUEUED_COST
            + match self {
                Self::Call { name, body, claim, .. } => {
                    let origin = claim.origin.as_ref().map_or(0, |user| user.len());
                    name.len() + body.as_bytes().len() + origin
                }
                Self::Reply { answer, .. } => answer.len(),
            }
    }
}

/// A first-in first-out queue that knows its size in bytes.
#[derive(Debug, Default)]
pub(super) struct Queue {
    entries: VecDeque<Queued>,
    bytes: usize,
}

impl Queue {
    pub(super) fn push(&mut self, entry: Queued) {
        self.bytes += entry.cost();
        self.entries.push_back(entry);
    }

    pub(super) fn pop(&mut self) -> Option<Queued> {
        let entry = self.entries.pop_front()?;
        self.bytes -= entry.cost();
        Some(entry)
    }

    /// Takes calls that are over out of it.
    pub(super) fn sweep(&mut self, calls: &Calls) {
        self.entries.retain(|entry| calls.is_live(entry));
        self.bytes = self.entries.iter().map(Queued::cost).sum();
    }

    /// Its entries and bytes; swept first only where it would stand in a call's way.
    pub(super) fn size(&mut self, calls: &Calls, limits: &Limits) -> (usize, usize) {
        let entries_max = limits.calls_pending_per_peer_max;
        if self.bytes >= limits.queue_bytes_soft_max || self.entries.len() >= entries_max {
            self.sweep(calls);
        }
        (self.entries.len(), self.bytes)
    }

    /// Whether more than that waits [behind the oldest entry](Self::bytes_behind).
    pub(super) fn is_over(&self, max: usize) -> bool {
        self.bytes > max && self.bytes_behind() > max
    }

    /// Bytes behind the oldest entry: that one is let in whatever its size, and is no backlog.
    pub(super) fn bytes_behind(&self) -> usize {
        self.bytes - self.entries.front().map_or(0, Queued::cost)
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// One peer's state.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) info: Arc<PeerInfo>,
    pub(super) queue: Queue,
    /// Whether the driver was told to pull and has not found the queue empty since.
    pub(super) flushing: bool,
    /// Calls of ours at this peer, some of which may be over: see [`Session::remember`].
    pub(super) calls: Vec<CallId>,
    pub(super) calls_pending: usize,
    /// Requests of this peer, some of which may be over.
    pub(super) requests: Vec<RequestId>,
    pub(super) requests_open: usize,
    /// What the messages of those take, in bytes.
    pub(super) requests_open_bytes: usize,
    pub(super) seen: Seen,
    pub(super) bad_envelopes: u8,
    /// Whether it was told that its version of the protocol is not ours.
    pub(super) version_told: bool,
    pub(super) noise: Budget,
}

impl Session {
    pub(super) fn new(info: Arc<PeerInfo>) -> Self {
        Self {
            info,
            queue: Queue::default(),
            flushing: false,
            calls: Vec::new(),
            calls_pending: 0,
            requests: Vec::new(),
            requests_open: 0,
            requests_open_bytes: 0,
            seen: Seen::default(),
            bad_envelopes: 0,
            version_told: false,
            noise: Budget::default(),
        }
    }
}

/// Adds an id to a session's list. What is over is not taken out one by one: the list is swept when
/// it has doubled, so remembering costs a push and the list stays within twice what lives.
pub(super) fn remember<T: Copy>(list: &mut Vec<T>, id: T, alive: impl Fn(T) -> bool) {
    if list.len() == list.capacity() && list.len() >= 16 {
        list.retain(|&known| alive(known));
        // Also where nearly all of them live, the next sweep is as far off as this one was long.
        list.reserve(list.len());
    }
    list.push(id);
}
