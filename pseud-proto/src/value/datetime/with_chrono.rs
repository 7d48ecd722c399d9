//! To and from the crate `chrono`. Nanoseconds are cut to microseconds, a leap second to the
//! second before.

use super::{Date, DateTime, OutOfRange, TimeDelta, TimeZone};
use ::chrono::{
    self, Datelike, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Offset, Timelike,
};

fn small(part: u32, what: &'static str) -> Result<u8, OutOfRange> {
    u8::try_from(part).map_err(|_| OutOfRange(what))
}

impl TryFrom<NaiveDate> for Date {
    type Error = OutOfRange;

    fn try_from(date: NaiveDate) -> Result<Self, OutOfRange> {
        let year = u16::try_from(date.year()).map_err(|_| OutOfRange("year"))?;
        Self::new(year, small(date.month(), "month")?, small(date.day(), "day")?)
    }
}

impl TryFrom<Date> for NaiveDate {
    type Error = OutOfRange;

    fn try_from(date: Date) -> Result<Self, OutOfRange> {
        Self::from_ymd_opt(date.year().into(), date.month().into(), date.day().into())
            .ok_or(OutOfRange("day"))
    }
}

/// Naive.
impl TryFrom<NaiveDateTime> for DateTime {
    type Error = OutOfRange;

    fn try_from(moment: NaiveDateTime) -> Result<Self, OutOfRange> {
        Self::new(
            moment.date().try_into()?,
            small(moment.hour(), "hour")?,
            small(moment.minute(), "minute")?,
            small(moment.second(), "second")?,
            (moment.nanosecond() / 1_000).min(999_999),
        )
    }
}

/// Aware, by its offset.
impl<Z: chrono::TimeZone> TryFrom<chrono::DateTime<Z>> for DateTime {
    type Error = OutOfRange;

    fn try_from(moment: chrono::DateTime<Z>) -> Result<Self, OutOfRange> {
        let naive = Self::try_from(moment.naive_local())?;
        Ok(naive.with_zone(moment.offset().fix().try_into()?))
    }
}

/// The wall clock, without its zone.
impl TryFrom<&DateTime> for NaiveDateTime {
    type Error = OutOfRange;

    fn try_from(moment: &DateTime) -> Result<Self, OutOfRange> {
        let [hour, minute, second] =
            [moment.hour(), moment.minute(), moment.second()].map(u32::from);
        let time = NaiveTime::from_hms_micro_opt(hour, minute, second, moment.microsecond());
        Ok(Self::new(moment.date().try_into()?, time.ok_or(OutOfRange("time"))?))
    }
}

/// A naive one is refused.
impl TryFrom<&DateTime> for chrono::DateTime<FixedOffset> {
    type Error = OutOfRange;

    fn try_from(moment: &DateTime) -> Result<Self, OutOfRange> {
        let zone = FixedOffset::try_from(moment.zone().ok_or(OutOfRange("naive"))?)?;
        let naive = NaiveDateTime::try_from(moment)?;
        naive.and_local_timezone(zone).single().ok_or(OutOfRange("time"))
    }
}

impl TryFrom<chrono::TimeDelta> for TimeDelta {
    type Error = OutOfRange;

    fn try_from(span: chrono::TimeDelta) -> Result<Self, OutOfRange> {
        let fraction = i64::from(span.subsec_nanos()).div_euclid(1_000);
        Self::new(0, span.num_seconds(), fraction)
    }
}

impl From<TimeDelta> for chrono::TimeDelta {
    fn from(span: TimeDelta) -> Self {
        let seconds = i64::from(span.days()) * 86_400 + i64::from(span.seconds());
        // The range of chrono is wider by far: seconds fit, and a fraction under a second too.
        Self::new(seconds, span.microseconds() * 1_000).unwrap_or_default()
    }
}

impl TryFrom<FixedOffset> for TimeZone {
    type Error = OutOfRange;

    fn try_from(offset: FixedOffset) -> Result<Self, OutOfRange> {
        Self::new(TimeDelta::new(0, offset.local_minus_utc().into(), 0)?)
    }
}

/// A fraction of a second is refused.
impl TryFrom<&TimeZone> for FixedOffset {
    type Error = OutOfRange;

    fn try_from(zone: &TimeZone) -> Result<Self, OutOfRange> {
        Self::east_opt(zone.whole_seconds()?).ok_or(OutOfRange("offset"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let day = NaiveDate::from_ymd_opt(2018, 4, 17).unwrap();
        let naive = day.and_hms_micro_opt(1, 2, 3, 4).unwrap();
        let zone = FixedOffset::east_opt(-12_600).unwrap();
        let aware = naive.and_local_timezone(zone).unwrap();
        let ours = DateTime::try_from(aware).unwrap();
        let offset = TimeDelta::new(0, -12_600, 0).unwrap();
        assert_eq!(ours.zone().unwrap().offset(), Some(offset));
        assert_eq!(chrono::DateTime::<FixedOffset>::try_from(&ours).unwrap(), aware);
        let ours = DateTime::try_from(naive).unwrap();
        assert_eq!(NaiveDateTime::try_from(&ours).unwrap(), naive);
        assert!(chrono::DateTime::<FixedOffset>::try_from(&ours).is_err());
        for span in [-1, 0, 1, 25_920_000_000_001] {
            let span = chrono::TimeDelta::microseconds(span);
            assert_eq!(chrono::TimeDelta::from(TimeDelta::try_from(span).unwrap()), span);
        }
        assert!(TimeDelta::try_from(chrono::TimeDelta::MAX).is_err());
        assert!(Date::try_from(NaiveDate::MIN).is_err());
    }
}
