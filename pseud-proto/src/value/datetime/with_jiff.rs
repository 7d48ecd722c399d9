//! To and from the crate `jiff`. Nanoseconds are cut to microseconds; of a zone the offset stays.

use super::{Date, DateTime, OutOfRange, TimeDelta, TimeZone};
use ::jiff::tz::{self, Offset};
use ::jiff::{SignedDuration, Timestamp, Zoned, civil};

/// jiff's numbers are signed.
fn unsigned<T: TryInto<U>, U>(part: T, what: &'static str) -> Result<U, OutOfRange> {
    part.try_into().map_err(|_| OutOfRange(what))
}

impl TryFrom<civil::Date> for Date {
    type Error = OutOfRange;

    fn try_from(date: civil::Date) -> Result<Self, OutOfRange> {
        let year = unsigned(date.year(), "year")?;
        Self::new(year, unsigned(date.month(), "month")?, unsigned(date.day(), "day")?)
    }
}

impl TryFrom<Date> for civil::Date {
    type Error = OutOfRange;

    fn try_from(date: Date) -> Result<Self, OutOfRange> {
        let year = unsigned(date.year(), "year")?;
        Self::new(year, unsigned(date.month(), "month")?, unsigned(date.day(), "day")?)
            .map_err(|_| OutOfRange("day"))
    }
}

/// Naive.
impl TryFrom<civil::DateTime> for DateTime {
    type Error = OutOfRange;

    fn try_from(moment: civil::DateTime) -> Result<Self, OutOfRange> {
        Self::new(
            moment.date().try_into()?,
            unsigned(moment.hour(), "hour")?,
            unsigned(moment.minute(), "minute")?,
            unsigned(moment.second(), "second")?,
            unsigned(moment.subsec_nanosecond() / 1_000, "microsecond")?,
        )
    }
}

/// Aware, by its offset.
impl TryFrom<&Zoned> for DateTime {
    type Error = OutOfRange;

    fn try_from(moment: &Zoned) -> Result<Self, OutOfRange> {
        let naive = Self::try_from(moment.datetime())?;
        Ok(naive.with_zone(moment.offset().try_into()?))
    }
}

/// The wall clock, without its zone.
impl TryFrom<&DateTime> for civil::DateTime {
    type Error = OutOfRange;

    fn try_from(moment: &DateTime) -> Result<Self, OutOfRange> {
        let hour = unsigned(moment.hour(), "hour")?;
        let minute = unsigned(moment.minute(), "minute")?;
        let second = unsigned(moment.second(), "second")?;
        let nanosecond = unsigned(moment.microsecond() * 1_000, "microsecond")?;
        let time = civil::Time::new(hour, minute, second, nanosecond);
        let time = time.map_err(|_| OutOfRange("time"))?;
        Ok(civil::Date::try_from(moment.date())?.to_datetime(time))
    }
}

/// A naive one is refused.
impl TryFrom<&DateTime> for Zoned {
    type Error = OutOfRange;

    fn try_from(moment: &DateTime) -> Result<Self, OutOfRange> {
        let offset = Offset::try_from(moment.zone().ok_or(OutOfRange("naive"))?)?;
        civil::DateTime::try_from(moment)?
            .to_zoned(tz::TimeZone::fixed(offset))
            .map_err(|_| OutOfRange("time"))
    }
}

/// A naive one is refused.
impl TryFrom<&DateTime> for Timestamp {
    type Error = OutOfRange;

    fn try_from(moment: &DateTime) -> Result<Self, OutOfRange> {
        Zoned::try_from(moment).map(|zoned| zoned.timestamp())
    }
}

impl TryFrom<SignedDuration> for TimeDelta {
    type Error = OutOfRange;

    fn try_from(span: SignedDuration) -> Result<Self, OutOfRange> {
        let fraction = i64::from(span.subsec_nanos()).div_euclid(1_000);
        Self::new(0, span.as_secs(), fraction)
    }
}

impl From<TimeDelta> for SignedDuration {
    fn from(span: TimeDelta) -> Self {
        let seconds = i64::from(span.days()) * 86_400 + i64::from(span.seconds());
        Self::from_secs(seconds).saturating_add(Self::from_micros(span.microseconds().into()))
    }
}

impl TryFrom<Offset> for TimeZone {
    type Error = OutOfRange;

    fn try_from(offset: Offset) -> Result<Self, OutOfRange> {
        Self::new(TimeDelta::new(0, offset.seconds().into(), 0)?)
    }
}

/// A fraction of a second is refused.
impl TryFrom<&TimeZone> for Offset {
    type Error = OutOfRange;

    fn try_from(zone: &TimeZone) -> Result<Self, OutOfRange> {
        Self::from_seconds(zone.whole_seconds()?).map_err(|_| OutOfRange("offset"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let naive = civil::date(2018, 4, 17).at(1, 2, 3, 4_000);
        let zone = tz::TimeZone::fixed(Offset::from_seconds(-12_600).unwrap());
        let aware = naive.to_zoned(zone).unwrap();
        let ours = DateTime::try_from(&aware).unwrap();
        assert_eq!(ours.zone().unwrap().offset(), TimeDelta::new(0, -12_600, 0).unwrap());
        assert_eq!(Zoned::try_from(&ours).unwrap(), aware);
        assert_eq!(Timestamp::try_from(&ours).unwrap(), aware.timestamp());
        let ours = DateTime::try_from(naive).unwrap();
        assert_eq!(civil::DateTime::try_from(&ours).unwrap(), naive);
        assert!(Zoned::try_from(&ours).is_err());
        for span in [-1, 0, 1, 25_920_000_000_001] {
            let span = SignedDuration::from_micros(span);
            assert_eq!(SignedDuration::from(TimeDelta::try_from(span).unwrap()), span);
        }
        assert!(TimeDelta::try_from(SignedDuration::MAX).is_err());
        assert!(Date::try_from(civil::Date::MIN).is_err());
    }
}
