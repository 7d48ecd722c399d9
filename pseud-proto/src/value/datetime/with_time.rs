//! To and from the crate `time`. Nanoseconds are cut to microseconds.

use super::{Date, DateTime, OutOfRange, TimeDelta, TimeZone};
use ::time::{Duration, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

impl TryFrom<::time::Date> for Date {
    type Error = OutOfRange;

    fn try_from(date: ::time::Date) -> Result<Self, OutOfRange> {
        let year = u16::try_from(date.year()).map_err(|_| OutOfRange("year"))?;
        Self::new(year, u8::from(date.month()), date.day())
    }
}

impl TryFrom<Date> for ::time::Date {
    type Error = OutOfRange;

    fn try_from(date: Date) -> Result<Self, OutOfRange> {
        let month = Month::try_from(date.month()).map_err(|_| OutOfRange("month"))?;
        Self::from_calendar_date(i32::from(date.year()), month, date.day())
            .map_err(|_| OutOfRange("day"))
    }
}

/// Naive.
impl TryFrom<PrimitiveDateTime> for DateTime {
    type Error = OutOfRange;

    fn try_from(moment: PrimitiveDateTime) -> Result<Self, OutOfRange> {
        let time = moment.time();
        Self::new(
            moment.date().try_into()?,
            time.hour(),
            time.minute(),
            time.second(),
            time.microsecond(),
        )
    }
}

/// Aware, by its offset.
impl TryFrom<OffsetDateTime> for DateTime {
    type Error = OutOfRange;

    fn try_from(moment: OffsetDateTime) -> Result<Self, OutOfRange> {
        let naive = Self::try_from(PrimitiveDateTime::new(moment.date(), moment.time()))?;
        Ok(naive.with_zone(moment.offset().try_into()?))
    }
}

/// The wall clock, without its zone.
impl TryFrom<&DateTime> for PrimitiveDateTime {
    type Error = OutOfRange;

    fn try_from(moment: &DateTime) -> Result<Self, OutOfRange> {
        let [hour, minute, second] = [moment.hour(), moment.minute(), moment.second()];
        let time = Time::from_hms_micro(hour, minute, second, moment.microsecond());
        Ok(Self::new(moment.date().try_into()?, time.map_err(|_| OutOfRange("time"))?))
    }
}

/// A naive one is refused.
impl TryFrom<&DateTime> for OffsetDateTime {
    type Error = OutOfRange;

    fn try_from(moment: &DateTime) -> Result<Self, OutOfRange> {
        let zone = moment.zone().ok_or(OutOfRange("naive"))?;
        Ok(PrimitiveDateTime::try_from(moment)?.assume_offset(zone.try_into()?))
    }
}

impl TryFrom<Duration> for TimeDelta {
    type Error = OutOfRange;

    fn try_from(span: Duration) -> Result<Self, OutOfRange> {
        Self::new(0, span.whole_seconds(), i64::from(span.subsec_microseconds()))
    }
}

impl From<TimeDelta> for Duration {
    fn from(span: TimeDelta) -> Self {
        let seconds = i64::from(span.days()) * 86_400 + i64::from(span.seconds());
        Self::seconds(seconds).saturating_add(Self::microseconds(span.microseconds().into()))
    }
}

impl TryFrom<UtcOffset> for TimeZone {
    type Error = OutOfRange;

    fn try_from(offset: UtcOffset) -> Result<Self, OutOfRange> {
        Self::new(TimeDelta::new(0, offset.whole_seconds().into(), 0)?)
    }
}

/// A fraction of a second is refused.
impl TryFrom<&TimeZone> for UtcOffset {
    type Error = OutOfRange;

    fn try_from(zone: &TimeZone) -> Result<Self, OutOfRange> {
        Self::from_whole_seconds(zone.whole_seconds()?).map_err(|_| OutOfRange("offset"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let day = ::time::Date::from_calendar_date(2018, Month::April, 17).unwrap();
        let naive = PrimitiveDateTime::new(day, Time::from_hms_micro(1, 2, 3, 4).unwrap());
        let aware = naive.assume_offset(UtcOffset::from_whole_seconds(-12_600).unwrap());
        let ours = DateTime::try_from(aware).unwrap();
        let offset = TimeDelta::new(0, -12_600, 0).unwrap();
        assert_eq!(ours.zone().unwrap().offset(), Some(offset));
        assert_eq!(OffsetDateTime::try_from(&ours).unwrap(), aware);
        let ours = DateTime::try_from(naive).unwrap();
        assert_eq!(PrimitiveDateTime::try_from(&ours).unwrap(), naive);
        assert_eq!(OffsetDateTime::try_from(&ours), Err(OutOfRange("naive")));
        for span in [Duration::microseconds(-1), Duration::days(300), Duration::ZERO] {
            assert_eq!(Duration::from(TimeDelta::try_from(span).unwrap()), span);
        }
        assert!(TimeDelta::try_from(Duration::MAX).is_err());
        assert!(Date::try_from(::time::Date::MIN).is_err());
    }
}
