//! What goes on at one link: told by it, looked at by whoever lists peers without its lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Since when a link is there, when its peer was last heard, and how many bytes went either way.
///
/// Each counter has one writer, under the link's own lock: it loads and stores, and needs no locked
/// addition. Moments are kept as milliseconds since the link's birth.
#[derive(Debug)]
pub(crate) struct Activity {
    born: Instant,
    joined: AtomicU64,
    heard: AtomicU64,
    spoke: AtomicU64,
    received: AtomicU64,
    sent: AtomicU64,
}

impl Activity {
    /// A link that is born now.
    pub(crate) fn new(now: Instant) -> Self {
        let [joined, heard, spoke, received, sent] = Default::default();
        Self { born: now, joined, heard, spoke, received, sent }
    }

    fn offset(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.born);
        since.as_secs().saturating_mul(1_000).saturating_add(since.subsec_millis().into())
    }

    fn moment(&self, offset: &AtomicU64) -> Instant {
        let offset = Duration::from_millis(offset.load(Ordering::Relaxed));
        self.born.checked_add(offset).unwrap_or(self.born)
    }

    /// Its handshake is over.
    pub(crate) fn join(&self, now: Instant) {
        self.joined.store(self.offset(now), Ordering::Relaxed);
        self.speak(now);
    }

    /// Its peer sent a message.
    pub(crate) fn speak(&self, now: Instant) {
        self.spoke.store(self.offset(now), Ordering::Relaxed);
    }

    /// So many bytes were read: its peer was heard, and may have sent a message.
    pub(crate) fn receive(&self, bytes: usize, spoke: bool, now: Instant) {
        add(&self.received, bytes);
        let now = self.offset(now);
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
    pub(crate) fn joined(&self) -> Instant {
        self.moment(&self.joined)
    }

    /// When its peer was last heard.
    pub(crate) fn heard(&self) -> Instant {
        self.moment(&self.heard)
    }

    /// When it last sent a message; before its first, when its handshake was over.
    pub(crate) fn spoke(&self) -> Instant {
        self.moment(&self.spoke)
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
        let born = Instant::now();
        let activity = Activity::new(born);
        activity.join(born + Duration::from_millis(7));
        assert_eq!(activity.spoke(), born + Duration::from_millis(7));
        activity.receive(0, true, born + Duration::from_secs(8));
        assert_eq!(activity.spoke(), born + Duration::from_secs(8));
        activity.receive(3, false, born);
        activity.receive(4, false, born + Duration::from_secs(9));
        activity.send(5);
        assert_eq!(activity.joined(), born + Duration::from_millis(7));
        assert_eq!(activity.heard(), born + Duration::from_secs(9));
        assert_eq!(activity.bytes(), (7, 5));
        // A clock that was turned back.
        activity.receive(0, false, born - Duration::from_millis(1));
        assert_eq!(activity.heard(), born);
    }
}
