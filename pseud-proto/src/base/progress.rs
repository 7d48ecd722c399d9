//! Whether bytes move that are to: those of a message that was begun, and those that wait to be written.

use std::time::{Duration, Instant};

/// How slowly a peer may send what it has begun, and read what waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProgressLimit {
    /// Bytes a second that have to move over each [window](Self::window), as long as there are any that
    /// are to. Default 512 (Apache's `RequestReadTimeout` wants 500; a modem of 1995 has 3 600). 0: any
    /// progress will do, and none.
    pub bytes_per_second_min: u32,
    /// The time over which they are counted. Default 30 s.
    pub window: Duration,
}

impl Default for ProgressLimit {
    fn default() -> Self {
        Self { bytes_per_second_min: 512, window: Duration::from_secs(30) }
    }
}

impl ProgressLimit {
    /// Bytes of one window.
    fn bytes(&self) -> u64 {
        let millis = u64::try_from(self.window.as_millis()).unwrap_or(u64::MAX);
        u64::from(self.bytes_per_second_min).saturating_mul(millis) / 1_000
    }
}

/// What was seen at the beginning of a window.
#[derive(Debug, Default)]
pub(crate) struct Progress(Option<Box<WindowStart>>);

#[derive(Debug, Clone, Copy)]
struct WindowStart {
    at: Instant,
    /// What is to move: where that is another, another window begins.
    of: u64,
    /// Bytes of it that had moved.
    moved: u64,
}

impl Progress {
    /// What is to move, as it was seen last.
    pub(crate) fn of(&self) -> Option<u64> {
        self.0.as_ref().map(|start| start.of)
    }

    /// So many bytes of that have moved by now: a window begins, unless one has for the same.
    pub(crate) fn note(&mut self, of: u64, moved: u64, now: Instant) {
        if self.of() != Some(of) {
            self.begin(WindowStart { at: now, of, moved });
        }
    }

    /// The same; `false` where a window is over in which too few of them have moved.
    pub(crate) fn is_made(
        &mut self,
        of: u64,
        moved: u64,
        now: Instant,
        limit: &ProgressLimit,
    ) -> bool {
        self.note(of, moved, now);
        let is_over = self.deadline(of, limit).is_some_and(|at| at <= now);
        let Some(start) = self.0.as_ref().filter(|_| is_over) else { return true };
        let gone = moved.saturating_sub(start.moved);
        self.begin(WindowStart { at: now, of, moved });
        gone >= limit.bytes()
    }

    /// Links where nothing is ever partial have none: what one took is kept.
    fn begin(&mut self, start: WindowStart) {
        match &mut self.0 {
            Some(known) => **known = start,
            None => self.0 = Some(Box::new(start)),
        }
    }

    /// When the window of that is over.
    pub(crate) fn deadline(&self, of: u64, limit: &ProgressLimit) -> Option<Instant> {
        let start = self.0.as_ref().filter(|start| start.of == of && limit.bytes() > 0)?;
        start.at.checked_add(limit.window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn each_window_asks_for_its_own_bytes() {
        let limit = ProgressLimit { bytes_per_second_min: 10, window: 3 * SECOND };
        let (mut progress, start) = (Progress::default(), Instant::now());
        assert!(progress.is_made(1, 0, start, &limit));
        assert_eq!(progress.deadline(1, &limit), Some(start + 3 * SECOND));
        assert_eq!(progress.deadline(2, &limit), None);
        assert!(progress.is_made(1, 0, start + 2 * SECOND, &limit), "not over yet");
        assert!(progress.is_made(1, 30, start + 3 * SECOND, &limit));
        assert!(!progress.is_made(1, 59, start + 6 * SECOND, &limit));
        // Another thing has its own window.
        assert!(progress.is_made(2, 0, start + 7 * SECOND, &limit));
        assert!(progress.is_made(3, 0, start + 60 * SECOND, &limit));
    }

    #[test]
    fn without_a_rate_and_with_any_window_nothing_is_too_slow() {
        let (now, far) = (Instant::now(), Instant::now() + 1_000_000 * SECOND);
        for limit in [
            ProgressLimit { bytes_per_second_min: 0, window: SECOND },
            ProgressLimit { bytes_per_second_min: 1, window: Duration::MAX },
            ProgressLimit { bytes_per_second_min: u32::MAX, window: Duration::ZERO },
        ] {
            let mut progress = Progress::default();
            progress.note(1, 0, now);
            assert_eq!(progress.deadline(1, &limit), None);
            assert!(progress.is_made(1, 0, far, &limit));
        }
    }
}
