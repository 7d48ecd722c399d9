//! How much flooding a peer may make: messages and commands that cost us work and bring nothing.

use std::time::Instant;

/// How many useless messages or commands one link may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FloodLimit {
    /// At once. Default 1 000.
    pub burst: u32,
    /// Every second, on top. Default 100.
    pub per_second: u32,
}

impl Default for FloodLimit {
    fn default() -> Self {
        Self { burst: 1_000, per_second: 100 }
    }
}

/// What is left of a [`FloodLimit`]. It is refilled when it runs out, not by a timer.
#[derive(Debug, Default)]
pub(crate) struct FloodBudget {
    spent: u32,
    since: Option<Instant>,
}

impl FloodBudget {
    /// Spends one unit; false if there is none left.
    pub(crate) fn spend(&mut self, limit: FloodLimit, now: Instant) -> bool {
        let since = *self.since.get_or_insert(now);
        if self.spent >= limit.burst {
            self.refill(limit, since, now);
        }
        self.spent = self.spent.saturating_add(1);
        self.spent <= limit.burst
    }

    /// Spends one unit if there is one left: who is refused owes nothing for it.
    #[cfg(feature = "rpcudp")]
    pub(crate) fn try_spend(&mut self, limit: FloodLimit, now: Instant) -> bool {
        let spent = self.spend(limit, now);
        self.spent = self.spent.min(limit.burst);
        spent
    }

    fn refill(&mut self, limit: FloodLimit, since: Instant, now: Instant) {
        let seconds = now.saturating_duration_since(since).as_secs_f64();
        let earned = (seconds * f64::from(limit.per_second)) as u32;
        if earned > 0 {
            self.spent = self.spent.saturating_sub(earned);
            self.since = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_burst_passes_and_a_flood_does_not() {
        let (limit, start) = (FloodLimit { burst: 10, per_second: 2 }, Instant::now());
        let mut budget = FloodBudget::default();
        assert!((0..10).all(|_| budget.spend(limit, start)));
        assert!(!budget.spend(limit, start));
        let later = start + Duration::from_secs(3);
        assert_eq!((0..10).filter(|_| budget.spend(limit, later)).count(), 5);
    }

    #[test]
    fn a_trickle_never_ends() {
        let (limit, mut now) = (FloodLimit::default(), Instant::now());
        let mut budget = FloodBudget::default();
        for _ in 0..100_000 {
            assert!(budget.spend(limit, now));
            now += Duration::from_millis(10);
        }
    }
}
