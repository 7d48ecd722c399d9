//! A link's turn: what it may do before other tasks and the sockets have theirs.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

/// What may be read, served and written in one turn, in bytes; a request counts as 1 KiB.
const BYTES_MAX: usize = 128 << 10;
/// The least that a read, a write or a request counts.
const STEP_BYTES: usize = 1 << 10;
/// How long handlers may run in one turn, but for the last few.
const HANDLERS_MAX: Duration = Duration::from_micros(60);
/// Requests that are handed to handlers together, at most.
pub(super) const TOGETHER_MAX: u8 = 8;

/// What is left of a link's turn. Answers to calls of ours do not count: whoever waits for them is to
/// have them together.
#[derive(Debug, Default)]
pub(super) struct Turn {
    bytes: usize,
    handlers: Duration,
    /// Callers were woken: what they say next is to go out together.
    pub(super) gathers: bool,
    /// The socket may take more than it was given.
    pub(super) is_cut: bool,
}

impl Turn {
    /// So much was read, or written.
    pub(super) fn moved(&mut self, bytes: usize) {
        self.bytes += bytes.max(STEP_BYTES);
    }

    /// So many requests were served, or their handlers begun, in that time.
    pub(super) fn served(&mut self, requests: usize, took: Duration) {
        self.bytes += requests * STEP_BYTES;
        self.handlers += took;
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_cut || self.bytes >= BYTES_MAX || self.handlers >= HANDLERS_MAX
    }
}

/// How many requests are handed to handlers together: as many as run within a part of a turn, going by those before.
/// Whoever has slow handlers has them run in small portions, so that others need not wait for many.
#[derive(Debug)]
pub(super) struct Together(AtomicU8);

impl Together {
    pub(super) const fn new() -> Self {
        Self(AtomicU8::new(TOGETHER_MAX))
    }

    pub(super) fn max(&self) -> usize {
        self.0.load(Ordering::Relaxed).into()
    }

    /// So many were served, or begun, in that time: as many come next as take a half of what handlers have.
    pub(super) fn served(&self, requests: usize, took: Duration) {
        if requests == 0 {
            return;
        }
        let next = match took {
            // However few they were.
            _ if took < HANDLERS_MAX / 2 / u32::from(TOGETHER_MAX) => TOGETHER_MAX,
            _ => {
                let each = (took.as_nanos() / requests as u128).max(1);
                (HANDLERS_MAX.as_nanos() / 2 / each).clamp(1, TOGETHER_MAX.into()) as u8
            }
        };
        if next != self.0.load(Ordering::Relaxed) {
            self.0.store(next, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_ends_by_requests_by_bytes_and_by_time() {
        let after = |act: &dyn Fn(&mut Turn)| {
            let mut turn = Turn::default();
            let mut count = 0;
            while count < 1_000 && !turn.is_over() {
                act(&mut turn);
                count += 1;
            }
            count
        };
        let served = |micros| move |turn: &mut Turn| turn.served(8, Duration::from_micros(micros));
        assert_eq!(after(&served(0)), 16);
        assert_eq!(after(&served(15)), 4);
        assert_eq!(after(&|turn| turn.moved(64 << 10)), 2);
        assert_eq!(after(&|turn| turn.moved(1)), 128, "a read of one byte is a read");
        assert_eq!(after(&|turn| turn.served(0, Duration::ZERO)), 1_000);
    }

    #[test]
    fn slow_handlers_run_in_small_portions_and_quick_ones_together() {
        let together = Together::new();
        let portions = |micros: u64| {
            let served = |_| {
                let count = together.max();
                together.served(count, Duration::from_micros(count as u64 * micros));
                count
            };
            (0..5).map(served).collect::<Vec<_>>()
        };
        assert_eq!(portions(1), [8; 5]);
        assert_eq!(portions(10), [8, 3, 3, 3, 3]);
        assert_eq!(portions(1_000), [3, 1, 1, 1, 1]);
        together.served(0, Duration::from_secs(1));
        assert_eq!(portions(1), [1, 8, 8, 8, 8], "one pause is soon forgotten");
    }
}
