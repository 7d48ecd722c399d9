//! Requests of peers: from the WORK to its one answer.

use super::wire::WireId;
use crate::call::{PeerId, RequestId};
use crate::deadline::Next;
use crate::slab::Slab;
use std::time::Instant;

/// How far a request has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// Its handler runs, or its driver holds it.
    Serving,
    /// Its answer is in the peer's queue.
    Answered,
    /// Its answer was handed to the connection.
    Pulled,
}

/// One request whose answer is not written yet.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) peer: PeerId,
    pub(super) id: WireId,
    pub(super) progress: Progress,
    /// Until when a v1 caller may be answered; `None` once it has passed.
    pub(super) guard: Option<Instant>,
}

/// The open requests of one endpoint.
#[derive(Debug)]
pub(super) struct Requests {
    slab: Slab<Open>,
    guards: usize,
    pub(super) serving: usize,
    pub(super) next: Next,
}

impl Requests {
    pub(super) fn new() -> Self {
        Self { slab: Slab::new(), guards: 0, serving: 0, next: Next::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.slab.len()
    }

    pub(super) fn insert(&mut self, peer: PeerId, id: WireId, guard: Instant) -> RequestId {
        self.next.note(guard);
        self.guards += 1;
        self.serving += 1;
        let progress = Progress::Serving;
        RequestId(self.slab.insert(Open { peer, id, progress, guard: Some(guard) }))
    }

    pub(super) fn get(&self, request: RequestId) -> Option<&Open> {
        self.slab.get(request.0)
    }

    /// Moves a request on; `None` if it is over.
    pub(super) fn advance(&mut self, request: RequestId, to: Progress) -> Option<&Open> {
        let open = self.slab.get_mut(request.0)?;
        if open.progress == Progress::Serving && to != Progress::Serving {
            self.serving -= 1;
        }
        open.progress = to;
        Some(open)
    }

    /// The caller no longer waits, but the handler still runs: the slot stays until it ends.
    pub(super) fn forget_guard(&mut self, request: RequestId) {
        if self.slab.get_mut(request.0).is_some_and(|open| open.guard.take().is_some()) {
            self.drop_guard();
        }
    }

    pub(super) fn remove(&mut self, request: RequestId) -> Option<Open> {
        let open = self.slab.remove(request.0)?;
        if open.progress == Progress::Serving {
            self.serving -= 1;
        }
        if open.guard.is_some() {
            self.drop_guard();
        }
        Some(open)
    }

    fn drop_guard(&mut self) {
        self.guards -= 1;
        if self.guards == 0 {
            self.next.clear();
        }
    }

    /// The requests whose guard has passed. The earliest of the others becomes `next`.
    pub(super) fn overdue(&mut self, now: Instant) -> Vec<RequestId> {
        self.next.clear();
        let mut overdue = Vec::new();
        for (key, open) in self.slab.iter() {
            match open.guard {
                Some(guard) if guard <= now => overdue.push(RequestId(key)),
                Some(guard) => self.next.note(guard),
                None => {}
            }
        }
        overdue
    }

    /// How many slots have a guard, by scanning them.
    pub(super) fn count_guards(&self) -> usize {
        self.slab.iter().filter(|(_, open)| open.guard.is_some()).count()
    }
}
