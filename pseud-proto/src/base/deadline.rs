//! Deadlines live in the slots of the tables; this is only the earliest of them.

use std::time::{Duration, Instant};

/// Further off than any deadline that matters, and near enough for every system's clock.
const FAR: Duration = Duration::from_secs(365 * 86_400);

/// That long from now, or a year, whatever a setting asks for.
#[inline]
pub(crate) fn after(now: Instant, wait: Duration) -> Instant {
    now.checked_add(wait.min(FAR)).unwrap_or(now)
}

/// A lower bound of all deadlines of one machine.
///
/// Adding a deadline is one comparison and removing one is nothing: the bound may then be early,
/// and the scan that it causes puts it right. So it costs a call no timer and no tree.
#[derive(Debug, Default)]
pub(crate) struct Next(Option<Instant>);

impl Next {
    pub(crate) fn note(&mut self, at: Instant) {
        if self.0.is_none_or(|next| at < next) {
            self.0 = Some(at);
        }
    }

    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.0.is_some_and(|next| next <= now)
    }

    pub(crate) fn clear(&mut self) {
        self.0 = None;
    }

    pub(crate) fn get(&self) -> Option<Instant> {
        self.0
    }
}
