//! Who waits for which call of a session: a slot {waker, outcome} each. No channel, no task, no timer.

use pseud_proto::Outcome;
use pseud_proto::session::CallKey;
use slab::Slab;
use std::task::Waker;

/// Slots that are kept while nobody waits.
const KEPT_MAX: usize = 8;

/// One who waits.
#[derive(Debug)]
pub(crate) enum Waiter {
    Waiting(Option<Waker>),
    /// The same of a call that waits for room, or did.
    Queued(Option<Waker>, Stands),
    Done(Outcome),
}

/// How far a call has come that had to wait for room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stands {
    /// It waits, at that place.
    Waits(u64),
    /// It was sent.
    Sent(CallKey),
}

impl Waiter {
    /// Whom to wake.
    pub(crate) fn into_waker(self) -> Option<Waker> {
        match self {
            Self::Waiting(waker) | Self::Queued(waker, _) => waker,
            Self::Done(_) => None,
        }
    }
}

/// Who waits for which call, by the calls' tags. A waiter outlives its call, until its future has picked
/// the outcome up: so it has a slot of its own.
/// A peer that is never called has no table.
#[derive(Debug, Default)]
pub(crate) struct Waiters(Option<Box<Slab<Waiter>>>);

impl Waiters {
    /// Somebody waits; its key is its call's tag.
    #[inline]
    pub(crate) fn insert(&mut self, waker: Option<Waker>) -> usize {
        let waiters = self.0.get_or_insert_default();
        if waiters.capacity() == 0 {
            // One call after the other needs no more.
            waiters.reserve_exact(1);
        }
        waiters.insert(Waiter::Waiting(waker))
    }

    /// The call is over: keeps its outcome for its future, and returns whom to wake.
    pub(crate) fn finish(&mut self, waiter: usize, outcome: Outcome) -> Option<Waker> {
        std::mem::replace(self.get_mut(waiter)?, Waiter::Done(outcome)).into_waker()
    }

    /// The call of that waiter had to wait for room, and stands there now.
    pub(crate) fn stands(&mut self, waiter: usize, stands: Stands) {
        let Some(known) = self.get_mut(waiter) else { return };
        if let Waiter::Waiting(waker) | Waiter::Queued(waker, _) = known {
            *known = Waiter::Queued(waker.take(), stands);
        }
    }

    /// Where it stands, unless it is over.
    pub(crate) fn where_stands(&self, waiter: usize) -> Option<Stands> {
        match self.0.as_ref()?.get(waiter)? {
            Waiter::Queued(_, stands) => Some(*stands),
            Waiter::Waiting(_) | Waiter::Done(_) => None,
        }
    }

    pub(crate) fn get_mut(&mut self, waiter: usize) -> Option<&mut Waiter> {
        self.0.as_mut()?.get_mut(waiter)
    }

    /// The outcome of a call that is over, taken by its future.
    pub(crate) fn take_done(&mut self, waiter: usize) -> Option<Outcome> {
        match self.0.as_ref()?.get(waiter)? {
            Waiter::Waiting(_) | Waiter::Queued(..) => None,
            Waiter::Done(_) => match self.forget(waiter)? {
                Waiter::Done(outcome) => Some(outcome),
                Waiter::Waiting(_) | Waiter::Queued(..) => None,
            },
        }
    }

    /// Nobody waits for that call any more. What is returned is to be dropped behind the lock.
    #[inline]
    pub(crate) fn forget(&mut self, waiter: usize) -> Option<Waiter> {
        let waiters = self.0.as_mut()?;
        let waiter = waiters.try_remove(waiter);
        if waiters.is_empty() && waiters.capacity() > KEPT_MAX {
            self.0 = None;
        }
        waiter
    }
}
