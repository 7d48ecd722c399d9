//! Until when a request may be answered whose caller's reader would die of a late answer.

use std::fmt;
use std::time::{Duration, Instant};

/// How long after its receipt a v1 peer's request may still be answered: later the answer is withheld.
///
/// Python pseud's reader dies of an answer that its caller no longer waits for, and a caller's time-out
/// is not on the wire. So both mistakes are possible: a guard over `time-out - time on the way` lets
/// answers through that end readers, a shorter one withholds answers that are still awaited. It
/// applies to peers that declare nothing and are no REQ, whose socket drops late answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LateGuard {
    /// So long. One of [`Duration::ZERO`] withholds every answer.
    After(Duration),
    /// Answers are sent however late: for peers whose callers wait as long as handlers take.
    Off,
}

impl Default for LateGuard {
    /// 4.5 s: half a second under the time-out that Python's callers have by default.
    fn default() -> Self {
        Self::After(Duration::from_millis(4_500))
    }
}

impl From<Duration> for LateGuard {
    fn from(after: Duration) -> Self {
        Self::After(after)
    }
}

impl fmt::Display for LateGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::After(after) => write!(f, "{after:?}"),
            Self::Off => f.write_str("off"),
        }
    }
}

/// Until when a request may be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    /// Its caller declared that late answers do it no harm.
    Never,
    /// Its caller's reader would die of a later one: Python's raises KeyError at the answer of a call that
    /// has timed out, and its reading task has no guard (pseud 1.0.1, `pseud/common.py`, `_handle_ok` and
    /// `cleanup_future`).
    Until(Instant),
    /// That moment has passed.
    Passed,
}

impl Guard {
    pub(crate) fn lets_pass(self, now: Instant) -> bool {
        match self {
            Self::Never => true,
            Self::Until(at) => now < at,
            Self::Passed => false,
        }
    }

    pub(crate) fn until(self) -> Option<Instant> {
        match self {
            Self::Until(at) => Some(at),
            Self::Never | Self::Passed => None,
        }
    }
}
