//! The one time that all of a test shares.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// A clock that stands still until it is told to move. Clones are the same clock.
#[derive(Debug, Clone)]
pub struct Clock {
    start: Instant,
    passed: Rc<Cell<Duration>>,
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock {
    /// The only look at the real clock: an `Instant` can be had from nowhere else.
    pub fn new() -> Self {
        Self { start: Instant::now(), passed: Rc::default() }
    }

    pub fn now(&self) -> Instant {
        self.start + self.passed.get()
    }

    /// How far it was moved.
    pub fn passed(&self) -> Duration {
        self.passed.get()
    }

    /// Moves it on to that moment; it is never turned back.
    pub fn move_to(&self, moment: Instant) {
        self.passed.set(self.passed.get().max(moment - self.start));
    }
}
