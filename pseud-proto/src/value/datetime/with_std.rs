//! To and from `std::time::Duration`.

use super::{OutOfRange, TimeDelta};
use std::time::Duration;

/// Rounded down to microseconds.
impl TryFrom<Duration> for TimeDelta {
    type Error = OutOfRange;

    fn try_from(span: Duration) -> Result<Self, OutOfRange> {
        let seconds = i64::try_from(span.as_secs()).map_err(|_| OutOfRange("days"))?;
        Self::new(0, seconds, i64::from(span.subsec_micros()))
    }
}

/// A negative span is out of range.
impl TryFrom<TimeDelta> for Duration {
    type Error = OutOfRange;

    fn try_from(span: TimeDelta) -> Result<Self, OutOfRange> {
        let days = u64::try_from(span.days).map_err(|_| OutOfRange("days"))?;
        Ok(Self::new(days * 86_400 + u64::from(span.seconds), span.microseconds * 1_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let span = Duration::new(86_401, 5_000);
        let ours = TimeDelta::try_from(span).unwrap();
        assert_eq!((ours.days(), ours.seconds(), ours.microseconds()), (1, 1, 5));
        assert_eq!(Duration::try_from(ours).unwrap(), span);
        assert!(Duration::try_from(TimeDelta::new(0, 0, -1).unwrap()).is_err());
        assert!(TimeDelta::try_from(Duration::MAX).is_err());
    }
}
