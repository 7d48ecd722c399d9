//! What goes on at one link: told by it, looked at by whoever lists peers without its lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Since when a link is there, when its peer was last heard, and how many bytes went either way.
///
/// Each counter has one writer, under the link's own lock: it loads and stores, and needs no locked
/// addition. Moments are nanoseconds since the birth of the node, which is handed in: whoever compares them with
/// others finds them in their order.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    joined: AtomicU64,
    heard: AtomicU64,
    spoke: AtomicU64,
    received: AtomicU64,
    sent: AtomicU64,
}

/// A node's clock: when it was born.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Born(pub(crate) Instant);

impl Born {
    fn offset(self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.0);
        since.as_secs().saturating_mul(1_000_000_000).saturating_add(since.subsec_nanos().into())
    }

    fn moment(self, offset: &AtomicU64) -> Instant {
        let offset = Duration::from_nanos(offset.load(Ordering::Relaxed));
        self.0.checked_add(offset).unwrap_or(self.0)
    }
}

impl Activity {
    /// Its handshake is over.
    pub(crate) fn join(&self, born: Born, now: Instant) {
        let now = born.offset(now);
        for moment in [&self.joined, &self.heard, &self.spoke] {
            moment.store(now, Ordering::Relaxed);
        }
    }

    /// So many bytes were read: its peer was heard, and may have sent a message.
    pub(crate) fn receive(&self, bytes: usize, spoke: bool, born: Born, now: Instant) {
        add(&self.received, bytes);
        let now = born.offset(now);
        self.heard.store(now, Ordering::Relaxed);
        if spoke {
            self.spoke.store(now, Ordering::Relaxed);
        }
    }

    /// So many bytes were written.
    pub(crate) fn send(&self, bytes: usize) {
        add(&self.sent, bytes);
    }

    /// When its handshake was over.
    pub(crate) fn joined(&self, born: Born) -> Instant {
        born.moment(&self.joined)
    }

    /// When its peer was last heard; before that, when its handshake was over.
    pub(crate) fn heard(&self, born: Born) -> Instant {
        born.moment(&self.heard)
    }

    /// When it last sent a message; before its first, when its handshake was over.
    pub(crate) fn spoke(&self, born: Born) -> Instant {
        born.moment(&self.spoke)
    }

    /// How many bytes were read and written.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        (self.received.load(Ordering::Relaxed), self.sent.load(Ordering::Relaxed))
    }
}

fn add(counter: &AtomicU64, bytes: usize) {
    let sum = counter.load(Ordering::Relaxed).saturating_add(bytes as u64);
    counter.store(sum, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_bytes_are_read_as_they_were_told() {
        let start = Instant::now();
        let (born, activity) = (Born(start), Activity::default());
        activity.join(born, start + Duration::from_millis(7));
        assert_eq!(activity.spoke(born), start + Duration::from_millis(7));
        activity.receive(0, true, born, start + Duration::from_secs(8));
        assert_eq!(activity.spoke(born), start + Duration::from_secs(8));
        activity.receive(3, false, born, start);
        activity.receive(4, false, born, start + Duration::from_secs(9));
        activity.send(5);
        assert_eq!(activity.joined(born), start + Duration::from_millis(7));
        assert_eq!(activity.heard(born), start + Duration::from_secs(9));
        assert_eq!(activity.bytes(), (7, 5));
        // A clock that was turned back.
        activity.receive(0, false, born, start - Duration::from_millis(1));
        assert_eq!(activity.heard(born), start);
    }
}
