//! Handlers that run.

use pseud_proto::{Limits, Refusal};
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many handlers did not end at once, and how many bytes of requests they hold.
///
/// The endpoint counts requests whose callers are there; a caller that leaves frees its room there,
/// but not what its handlers still hold.
#[derive(Debug, Default)]
pub(crate) struct Running {
    count: AtomicUsize,
    bytes: AtomicUsize,
}

impl Running {
    /// Whether there is room for a request of that size. Who asks at the same time may all be let in:
    /// no more than there are links.
    pub(crate) fn check(&self, size: usize, limits: &Limits) -> Result<(), Refusal> {
        let max = limits.requests_open_max;
        if self.count.load(Ordering::Relaxed) >= max {
            return Err(Refusal::Overloaded { max, what: "handlers run" });
        }
        let max = limits.requests_open_bytes_max;
        match Limits::has_room(self.bytes.load(Ordering::Relaxed), size, max) {
            true => Ok(()),
            false => Err(Refusal::Overloaded { max, what: "bytes are held by handlers" }),
        }
    }

    pub(crate) fn begin(&self, size: usize) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(size, Ordering::Relaxed);
    }

    pub(crate) fn end(&self, size: usize) {
        self.count.fetch_sub(1, Ordering::Relaxed);
        self.bytes.fetch_sub(size, Ordering::Relaxed);
    }

    /// Whether all have ended. Under the hub's lock: who ends takes that lock next.
    pub(crate) fn is_empty(&self) -> bool {
        self.count.load(Ordering::Relaxed) == 0
    }

    /// How many they are.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// How many they are, and their bytes.
    #[cfg(test)]
    pub(crate) fn now(&self) -> (usize, usize) {
        (self.count.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }
}
