//! Counters: what was dropped, and why. They cost an addition and never carry a peer's text.

use crate::call::dropped::Dropped;

/// What an endpoint has seen since its birth.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Sessions open now.
    pub sessions: usize,
    /// Calls of ours pending now.
    pub calls_pending: usize,
    /// Requests of peers that are being served, or whose answers are not written yet.
    pub requests_open: usize,
    /// Bytes of the messages of those that are being served: what
    /// [`Limits::requests_open_bytes_max`](crate::Limits) bounds.
    pub requests_open_bytes: usize,
    /// Probes seen.
    pub probes: u64,
    /// HEARTBEATs seen.
    pub heartbeats: u64,
    /// Requests handed out to be served.
    pub requests_served: u64,
    /// Requests that were turned away unread: `Overloaded`, `Draining`.
    pub requests_shed: u64,
    /// Requests refused without their handler having run: their shape or size was wrong, or their
    /// driver refused them.
    pub requests_refused: u64,
    /// Calls made.
    pub calls_made: u64,
    dropped: [u64; 12],
}

impl Stats {
    /// How often something was dropped for that cause.
    pub fn dropped(&self, cause: Dropped) -> u64 {
        self.dropped.get(cause as usize).copied().unwrap_or_default()
    }

    /// How often something was dropped at all.
    pub fn dropped_total(&self) -> u64 {
        self.dropped.iter().sum()
    }

    pub(crate) fn drop_for(&mut self, cause: Dropped) {
        if let Some(count) = self.dropped.get_mut(cause as usize) {
            *count += 1;
        }
    }
}

/// The deadlines that live in an endpoint's slots, counted by scanning them: for tests that look for
/// leaked timers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deadlines {
    /// One for each pending call.
    pub calls: usize,
    /// One for each request of a v1 peer that may still be answered.
    pub guards: usize,
}
