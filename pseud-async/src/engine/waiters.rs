//! Who waits for which call: a slot {waker, outcome} each. No channel, no task, no timer.

use pseud_proto::{CallId, Outcome};
use slab::Slab;
use std::task::Waker;

/// One who waits.
#[derive(Debug)]
pub(crate) enum Waiter {
    Waiting(Option<Waker>),
    Done(Outcome),
}

/// Who waits for which call. A waiter may outlive its call's slot in the endpoint, until its future
/// has picked the outcome up: so it has a slot of its own.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    slab: Slab<Waiter>,
    /// The endpoint's call slot → the call there and its waiter.
    by_call: Vec<Option<(CallId, usize)>>,
}

impl Waiters {
    pub(crate) fn insert(&mut self, call: CallId) -> usize {
        let waiter = self.slab.insert(Waiter::Waiting(None));
        if self.by_call.len() <= call.slot() {
            self.by_call.resize(call.slot() + 1, None);
        }
        self.by_call[call.slot()] = Some((call, waiter));
        waiter
    }

    /// The call is over: keeps its outcome for its future, and returns whom to wake.
    pub(crate) fn finish(&mut self, call: CallId, outcome: Outcome) -> Option<Waker> {
        let (_, waiter) =
            self.by_call.get_mut(call.slot())?.take_if(|(known, _)| *known == call)?;
        match std::mem::replace(self.slab.get_mut(waiter)?, Waiter::Done(outcome)) {
            Waiter::Waiting(waker) => waker,
            Waiter::Done(_) => None,
        }
    }

    pub(crate) fn get_mut(&mut self, waiter: usize) -> Option<&mut Waiter> {
        self.slab.get_mut(waiter)
    }

    /// Takes the slot of one whose call is over.
    pub(crate) fn remove(&mut self, waiter: usize) -> Waiter {
        self.slab.remove(waiter)
    }

    /// Nobody waits for that call any more: its outcome finds no waiter.
    pub(crate) fn forget(&mut self, call: CallId, waiter: usize) -> Option<Waiter> {
        if let Some(slot) = self.by_call.get_mut(call.slot()) {
            slot.take_if(|(known, _)| *known == call);
        }
        self.slab.try_remove(waiter)
    }
}
