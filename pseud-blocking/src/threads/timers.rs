//! Moments that somebody waits for.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Instant;

/// When, and which of those that wait for the same moment.
pub(crate) type TimerKey = (Instant, u64);

/// Who waits, by when.
#[derive(Debug, Default)]
pub(crate) struct Timers(Mutex<TimerQueue>);

#[derive(Debug, Default)]
struct TimerQueue {
    by_time: BTreeMap<TimerKey, Waker>,
    count: u64,
}

impl Timers {
    fn lock(&self) -> MutexGuard<'_, TimerQueue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key of a new waiter, and whether it is the first to be woken.
    pub(crate) fn insert(&self, at: Instant, waker: Waker) -> (TimerKey, bool) {
        let mut waiting = self.lock();
        waiting.count += 1;
        let key = (at, waiting.count);
        waiting.by_time.insert(key, waker);
        let is_first = waiting.by_time.first_key_value().is_some_and(|(first, _)| *first == key);
        (key, is_first)
    }

    pub(crate) fn remove(&self, key: TimerKey) {
        let removed = self.lock().by_time.remove(&key);
        // Outside the lock: what a waker drops may be a timer.
        drop(removed);
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.lock().by_time.first_key_value().map(|((at, _), _)| *at)
    }

    /// Those whose moment has come: nobody waits for them any more.
    pub(crate) fn due(&self, now: Instant) -> Vec<Waker> {
        let mut waiting = self.lock();
        let mut due = Vec::new();
        while let Some(first) = waiting.by_time.first_entry()
            && first.key().0 <= now
        {
            due.push(first.remove());
        }
        due
    }

    pub(crate) fn clear(&self) {
        let removed = std::mem::take(&mut self.lock().by_time);
        drop(removed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn who_is_due_is_woken_once_and_the_rest_waits() {
        let (timers, now) = (Timers::default(), Instant::now());
        let later = now + Duration::from_secs(1);
        assert!(timers.insert(later, Waker::noop().clone()).1);
        let (key, is_first) = timers.insert(now, Waker::noop().clone());
        assert!(is_first);
        assert!(!timers.insert(later, Waker::noop().clone()).1, "another was first");
        assert_eq!(timers.next(), Some(now));
        assert_eq!(timers.due(now).len(), 1);
        assert_eq!(timers.due(now).len(), 0);
        timers.remove(key);
        assert_eq!(timers.next(), Some(later));
        assert_eq!(timers.due(later).len(), 2);
        assert_eq!(timers.next(), None);
    }
}
