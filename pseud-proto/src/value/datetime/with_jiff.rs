//! To and from the crate `jiff`. Nanoseconds are cut to microseconds. A zone's key becomes jiff's zone of
//! that name, from the database of the system (jiff's feature `tzdb-zoneinfo`).

use super::{Date, DateTime, OutOfRange, TimeDelta, TimeZone};
use ::jiff::tz::{self, AmbiguousOffset, Offset};
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

/// Aware, by its offset, and by the key of its zone where it has one.
impl TryFrom<&Zoned> for DateTime {
    type Error = OutOfRange;

    fn try_from(moment: &Zoned) -> Result<Self, OutOfRange> {
        let naive = Self::try_from(moment.datetime())?;
        let offset = TimeZone::try_from(moment.offset())?;
        let Some(key) = moment.time_zone().iana_name().filter(|key| TimeZone::is_key(key)) else {
            return Ok(naive.with_zone(offset));
        };
        let zone = TimeZone::by_key(key)?.at(offset.offset().unwrap_or(TimeDelta::ZERO))?;
        let of_two = moment.time_zone().to_ambiguous_timestamp(moment.datetime()).offset();
        let is_second =
            matches!(of_two, AmbiguousOffset::Fold { after, .. } if after == moment.offset());
        Ok(naive.with_fold(is_second).with_zone(zone))
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

/// A naive one is refused, and one in a zone that is not in the database and has no offset. Where
/// clocks are changed the fold says which of two offsets is meant, as in Python (PEP 495).
impl TryFrom<&DateTime> for Zoned {
    type Error = OutOfRange;

    fn try_from(moment: &DateTime) -> Result<Self, OutOfRange> {
        let zone = moment.zone().ok_or(OutOfRange("naive"))?;
        let wall = civil::DateTime::try_from(moment)?;
        let known = zone.key().and_then(|key| tz::TimeZone::get(key).ok());
        let (offset, known) = match (known, zone.offset()) {
            (Some(known), None) => (offset_at(&known, wall, moment.fold()), Some(known)),
            (known, _) => (Offset::try_from(zone)?, known),
        };
        let instant = offset.to_timestamp(wall).map_err(|_| OutOfRange("time"))?;
        Ok(instant.to_zoned(known.unwrap_or_else(|| tz::TimeZone::fixed(offset))))
    }
}

/// The offset of that clock there: the one before a change of clocks, or with the fold the one after.
fn offset_at(zone: &tz::TimeZone, wall: civil::DateTime, fold: bool) -> Offset {
    match zone.to_ambiguous_timestamp(wall).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset,
        AmbiguousOffset::Gap { before, after } | AmbiguousOffset::Fold { before, after } => {
            if fold { after } else { before }
        }
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

/// A fraction of a second is refused, and a key alone.
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
        let offset = TimeDelta::new(0, -12_600, 0).unwrap();
        assert_eq!(ours.zone().unwrap().offset(), Some(offset));
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

    #[test]
    fn a_key_is_a_zone_and_the_fold_one_of_two_offsets() {
        let Ok(paris) = tz::TimeZone::get("Europe/Paris") else {
            panic!("the database of zones is needed: Debian's tzdata");
        };
        let keyed = |day: u8, hour: u8, fold: bool| {
            let month = if hour == 1 { 7 } else { 10 };
            let date = Date::new(2018, month, day).unwrap();
            let zone = TimeZone::by_key("Europe/Paris").unwrap();
            DateTime::new(date, hour, 30, 0, 0).unwrap().with_fold(fold).with_zone(zone)
        };
        for (moment, seconds) in
            [(keyed(1, 1, false), 7_200), (keyed(28, 2, false), 7_200), (keyed(28, 2, true), 3_600)]
        {
            let zoned = Zoned::try_from(&moment).unwrap();
            assert_eq!((zoned.time_zone(), zoned.offset().seconds()), (&paris, seconds));
            let back = DateTime::try_from(&zoned).unwrap();
            let zone = back.zone().unwrap();
            assert_eq!(zone.key(), Some("Europe/Paris"));
            assert_eq!(zone.offset(), Some(TimeDelta::new(0, seconds.into(), 0).unwrap()));
            assert_eq!(back.fold(), moment.fold());
            assert_eq!(Zoned::try_from(&back).unwrap(), zoned);
        }
        let nowhere = TimeZone::by_key("Nowhere/At_All").unwrap();
        assert!(Zoned::try_from(&keyed(1, 1, false).with_zone(nowhere)).is_err());
    }
}
