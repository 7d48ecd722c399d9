//! A call for somebody who is not there: its caller waits here until it is sent, or over.

use super::seated::SeatOf;
use pseud_proto::session::{CallKey, NewCall, Parking};
use pseud_proto::{Outcome, To};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

/// What became of such a call. Its lock makes its sending, its end and its caller's leaving exclude each
/// other. It is taken before a session's.
pub(crate) struct AbsentOf<H>(Mutex<FateOf<H>>);

pub(crate) enum FateOf<H> {
    /// It waits for them.
    Waits { to: To, parking: Parking, waker: Option<Waker> },
    /// It was sent.
    Sent(SentOf<H>),
    /// It is over.
    Done(Outcome),
    /// Nobody waits for it any more.
    Over,
}

/// A call at a session.
pub(crate) struct SentOf<H> {
    pub(crate) seat: Arc<SeatOf<H>>,
    pub(crate) waiter: usize,
    /// `None`: it had to wait for room, and its waiter says how far it has come.
    pub(crate) call: Option<CallKey>,
}

/// A call that was taken out of the directory, and its caller.
pub(crate) struct AwaitingOf<H> {
    pub(crate) call: NewCall,
    pub(crate) caller: Arc<AbsentOf<H>>,
}

impl<H> AbsentOf<H> {
    pub(crate) fn new(to: To, parking: Parking, waker: Option<Waker>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(FateOf::Waits { to, parking, waker })))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, FateOf<H>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It waits on, at another place.
    pub(super) fn moved(&self, to: Parking) {
        if let FateOf::Waits { parking, .. } = &mut *self.lock() {
            *parking = to;
        }
    }

    /// It is over; whom to wake.
    pub(crate) fn end(&self, outcome: Outcome) -> Option<Waker> {
        let mut fate = self.lock();
        match std::mem::replace(&mut *fate, FateOf::Over) {
            FateOf::Waits { waker, .. } => {
                *fate = FateOf::Done(outcome);
                waker
            }
            other => {
                *fate = other;
                None
            }
        }
    }
}

impl<H> fmt::Debug for AbsentOf<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Absent").finish_non_exhaustive()
    }
}

impl<H> fmt::Debug for SentOf<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sent").field(&self.seat).finish()
    }
}
