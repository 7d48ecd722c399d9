//! What the sessions of one user, or of one source address, have open together.

use std::sync::atomic::{AtomicUsize, Ordering};

/// A count that those sessions share: many with few requests each are one peer with many.
#[derive(Debug, Default)]
pub struct Share {
    requests: AtomicUsize,
}

impl Share {
    /// Requests that are served for them.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    pub(crate) fn take_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn give_requests(&self, count: usize) {
        self.requests.fetch_sub(count, Ordering::Relaxed);
    }
}

/// Bytes that one session holds: told by it, looked at by its directory without its lock. And what it has
/// open, where it shares with nobody.
#[derive(Debug, Default)]
pub struct Held {
    bytes: AtomicUsize,
    pub(crate) own: Share,
}

impl Held {
    /// How many those are now.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self, bytes: usize) {
        self.bytes.store(bytes, Ordering::Relaxed);
    }
}
