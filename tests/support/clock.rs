//! The one time that all of a test shares.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// A clock that stands still until it is told to move. Clones are the same clock.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    start: Instant,
    passed: Rc<Cell<Duration>>,
}

impl Clock {
    /// The only look at the real clock: an `Instant` can be had from nowhere else.
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), passed: Rc::default() }
    }

    pub(crate) fn now(&self) -> Instant {
        self.start + self.passed.get()
    }

    /// How far it was moved.
    pub(crate) fn passed(&self) -> Duration {
        self.passed.get()
    }

    /// Moves it on to that moment; it is never turned back.
    pub(crate) fn move_to(&self, moment: Instant) {
        self.passed.set(self.passed.get().max(moment - self.start));
    }
}
