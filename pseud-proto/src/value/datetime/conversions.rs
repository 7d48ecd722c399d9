//! To and from the dates of other crates.

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
