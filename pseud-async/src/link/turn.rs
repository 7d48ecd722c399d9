//! A link's turn: what it may do before other tasks and the sockets have theirs.

use std::time::Duration;

/// What may be read, served and written in one turn, in bytes; a request counts as 1 KiB.
const BYTES_MAX: usize = 128 << 10;
/// The least that a read, a write or a request counts.
const STEP_BYTES: usize = 1 << 10;
/// How long handlers may run in one turn.
const HANDLERS_MAX: Duration = Duration::from_micros(200);

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
        assert_eq!(after(&served(60)), 4);
        assert_eq!(after(&|turn| turn.moved(64 << 10)), 2);
        assert_eq!(after(&|turn| turn.moved(1)), 128, "a read of one byte is a read");
        assert_eq!(after(&|turn| turn.served(0, Duration::ZERO)), 1_000);
    }
}
