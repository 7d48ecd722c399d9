//! How long to wait before trying again: full jitter, so that a restarted server is not stormed.

use std::time::Duration;

/// How a connecting side tries again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retry {
    /// The first wait is drawn from zero to this. Default 100 ms, libzmq's.
    pub first: Duration,
    /// No wait is drawn from more than this. Default 30 s.
    pub max: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { first: Duration::from_millis(100), max: Duration::from_secs(30) }
    }
}

/// The waits of one series of failures.
#[derive(Debug, Clone)]
pub struct Backoff {
    retry: Retry,
    ceiling: Duration,
}

impl Backoff {
    /// No failure yet.
    pub fn new(retry: Retry) -> Self {
        Self { retry, ceiling: retry.first.min(retry.max) }
    }

    /// A failure: how long to wait now, drawn evenly from zero to a ceiling that doubles each time.
    /// `random` is any random number.
    pub fn failed(&mut self, random: u32) -> Duration {
        let share = f64::from(random) / f64::from(u32::MAX);
        let wait = Duration::try_from_secs_f64(self.ceiling.as_secs_f64() * share);
        let wait = wait.unwrap_or(self.ceiling).min(self.ceiling);
        self.ceiling = self.ceiling.saturating_mul(2).min(self.retry.max);
        wait
    }

    /// A refusal for good: trying again soon would change nothing. The wait is drawn from
    /// [`Retry::max`] to twice that.
    pub fn refused(&mut self, random: u32) -> Duration {
        self.ceiling = self.retry.max;
        self.retry.max.saturating_add(self.failed(random))
    }

    /// Somebody else took our place: two who take it from each other must not do so ever faster. The wait is
    /// drawn from the ceiling to twice that.
    pub fn replaced(&mut self, random: u32) -> Duration {
        self.ceiling.saturating_add(self.failed(random))
    }

    /// A success: the next failure is a first one.
    pub fn succeeded(&mut self) {
        self.ceiling = self.retry.first.min(self.retry.max);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ceiling_doubles_up_to_its_bound_and_falls_back() {
        let mut backoff = Backoff::new(Retry::default());
        let waits: Vec<u128> = (0..12).map(|_| backoff.failed(u32::MAX).as_millis()).collect();
        assert_eq!(waits[..4], [100, 200, 400, 800]);
        assert_eq!(waits[9..], [30_000; 3]);
        backoff.succeeded();
        assert_eq!(backoff.failed(u32::MAX).as_millis(), 100);
        assert_eq!(backoff.failed(0).as_millis(), 0);
    }

    #[test]
    fn odd_settings_neither_overflow_nor_pass_the_bound() {
        let mut backoff = Backoff::new(Retry { first: Duration::MAX, max: Duration::MAX });
        assert!((0..3).all(|_| backoff.failed(u32::MAX) == Duration::MAX));
        let max = Duration::from_secs(1);
        let mut backoff = Backoff::new(Retry { first: Duration::MAX, max });
        assert!((0..3).all(|_| backoff.failed(u32::MAX) <= max));
    }

    #[test]
    fn after_a_refusal_no_wait_is_short() {
        let mut backoff = Backoff::new(Retry::default());
        assert_eq!(backoff.refused(0).as_secs(), 30);
        assert_eq!(backoff.refused(u32::MAX).as_secs(), 60);
    }

    #[test]
    fn who_is_replaced_waits_ever_longer() {
        let mut backoff = Backoff::new(Retry::default());
        let waits: Vec<u128> = (0..12).map(|_| backoff.replaced(0).as_millis()).collect();
        assert_eq!((&waits[..4], waits[11]), (&[100, 200, 400, 800][..], 30_000));
        assert_eq!(backoff.replaced(u32::MAX).as_secs(), 60);
    }
}
