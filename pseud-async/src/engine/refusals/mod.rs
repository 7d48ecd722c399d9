//! What strangers and peers make happen, for operators and watchers: a flood of it is few lines and few
//! events.

pub(crate) mod line;
pub(crate) mod tallies;
pub(crate) mod tally;
pub(crate) mod withheld;

use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use tallies::{DueReports, Tallies};

/// What happened, and what was said of it.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<Tallies>);

impl Refusals {
    /// Counts something. The second says whether what was counted is due earlier than anything before.
    pub(crate) fn count<T>(&self, count: impl FnOnce(&mut Tallies) -> T) -> (T, bool) {
        let mut tallies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = tallies.deadline();
        let told = count(&mut tallies);
        (told, is_earlier(tallies.deadline(), before))
    }

    /// What is to be told by now, or all, and when to come again.
    pub(crate) fn take(&self, now: Option<Instant>) -> (DueReports, Option<Instant>) {
        let mut tallies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = tallies.take(now);
        (due, tallies.deadline())
    }
}

fn is_earlier(deadline: Option<Instant>, than: Option<Instant>) -> bool {
    deadline.is_some_and(|at| than.is_none_or(|than| at < than))
}
