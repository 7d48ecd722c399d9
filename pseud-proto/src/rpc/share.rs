//! What the sessions of one user, or of one source address, have open together.

use std::sync::atomic::{AtomicU32, Ordering};

/// A count that those sessions share: many with few requests each are one peer with many.
#[derive(Debug, Default)]
pub struct Share {
    requests: AtomicU32,
}

impl Share {
    /// Requests that are served for them.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed) as usize
    }

    pub(crate) fn take_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn give_requests(&self, count: usize) {
        self.requests.fetch_sub(count as u32, Ordering::Relaxed);
    }
}

/// Bytes that one session holds: told by it, looked at by its directory without its lock. And what it has
/// open, where it shares with nobody.
#[derive(Debug, Default)]
pub struct Held {
    /// Each session has these: 4 GiB and more are the same here.
    bytes: AtomicU32,
    pub(crate) own: Share,
}

impl Held {
    /// How many those are now.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed) as usize
    }

    pub(crate) fn set(&self, bytes: usize) {
        self.bytes.store(bytes.min(u32::MAX as usize) as u32, Ordering::Relaxed);
    }
}
