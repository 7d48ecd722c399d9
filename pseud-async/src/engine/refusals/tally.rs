//! What others can make happen as often as they like: the first ones of a minute are told, the rest is
//! counted and told in one go.

use std::time::{Duration, Instant};

/// How long is counted before what was counted is told.
pub(crate) const SPAN: Duration = Duration::from_secs(60);

/// Things of one kind, and the last of those that were not told.
#[derive(Debug)]
pub(crate) struct Tally<T> {
    /// How many are told one by one.
    burst: u32,
    until: Option<Instant>,
    told: u32,
    untold: u64,
    last: Option<T>,
}

impl<T> Tally<T> {
    pub(crate) fn new(burst: u32) -> Self {
        Self { burst, until: None, told: 0, untold: 0, last: None }
    }

    /// One event; it is given back if it is to be told now.
    pub(crate) fn count(&mut self, what: T, now: Instant) -> Option<T> {
        if self.is_over(now) {
            *self = Self::new(self.burst);
        }
        self.until = self.until.or_else(|| now.checked_add(SPAN));
        if self.told < self.burst {
            self.told += 1;
            return Some(what);
        }
        self.untold += 1;
        self.last = Some(what);
        None
    }

    /// Whether a span has passed in which all were told: the next one is a first one.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        self.untold == 0 && self.until.is_none_or(|until| until <= now)
    }

    /// When to [take](Self::take) what was not told.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.until.filter(|_| self.untold > 0)
    }

    /// How many were not told, and the last of them, if it is time. Those that follow wait for a span
    /// again.
    pub(crate) fn take(&mut self, now: Instant) -> Option<(u64, T)> {
        self.deadline().filter(|until| *until <= now)?;
        let last = self.last.take()?;
        self.until = now.checked_add(SPAN);
        self.told = self.burst;
        Some((std::mem::take(&mut self.untold), last))
    }

    /// The same, whatever the time.
    pub(crate) fn finish(&mut self) -> Option<(u64, T)> {
        let last = self.last.take()?;
        Some((std::mem::take(&mut self.untold), last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_told_once_and_then_once_a_minute() {
        let (mut tally, start) = (Tally::new(1), Instant::now());
        assert_eq!(tally.count(0, start), Some(0));
        assert!((1..80_000).all(|n| tally.count(n, start).is_none()));
        assert_eq!(tally.deadline(), Some(start + SPAN));
        assert_eq!(tally.take(start + SPAN / 2), None);
        assert_eq!(tally.take(start + SPAN), Some((79_999, 79_999)));
        assert_eq!((tally.count(7, start + SPAN), tally.take(start + SPAN)), (None, None));
        assert_eq!(tally.take(start + 2 * SPAN), Some((1, 7)));
    }

    #[test]
    fn what_is_rare_is_told_at_once() {
        let (mut tally, start) = (Tally::new(2), Instant::now());
        for minute in [0, 1, 3, 10] {
            let now = start + minute * SPAN;
            let told = [1, 2, 3].map(|n| tally.count(n, now).is_some());
            assert_eq!(told, [true, true, false], "{minute}");
            assert_eq!(tally.finish(), Some((1, 3)));
            assert_eq!(tally.deadline(), None);
        }
    }
}
