//! Dates and times as Python's `datetime` module has them: exts 123 to 126.

mod legacy;
mod serde;
pub(crate) mod timestamp;
#[cfg(feature = "chrono")]
mod with_chrono;
#[cfg(feature = "jiff")]
mod with_jiff;
mod with_std;
#[cfg(feature = "time")]
mod with_time;

use std::fmt;

/// A date, a time, an offset or a code that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("out of range: {0}")]
pub struct OutOfRange(pub(super) &'static str);

fn within(holds: bool, what: &'static str) -> Result<(), OutOfRange> {
    match holds {
        true => Ok(()),
        false => Err(OutOfRange(what)),
    }
}

/// Python's `datetime.date`: a day between the years 1 and 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// A day that exists: year 1 to 9999, month 1 to 12, a day of that month.
    pub fn new(year: u16, month: u8, day: u8) -> Result<Self, OutOfRange> {
        within((1..=9999).contains(&year), "year")?;
        within((1..=12).contains(&month), "month")?;
        within((1..=days_of(year, month)).contains(&day), "day")?;
        Ok(Self { year, month, day })
    }

    /// 1 to 9999.
    pub fn year(self) -> u16 {
        self.year
    }

    /// 1 to 12.
    pub fn month(self) -> u8 {
        self.month
    }

    /// 1 to 31.
    pub fn day(self) -> u8 {
        self.day
    }

    /// The day that is so many days after the day before 1 January of year 1.
    fn from_ordinal(ordinal: i64) -> Result<Self, OutOfRange> {
        within((1..=3_652_059).contains(&ordinal), "year")?;
        // The year is estimated by the mean length of one (400 years have 146 097 days), and put right below.
        let mut year = u16::try_from((ordinal - 1) * 400 / 146_097 + 1).unwrap_or(9_999).min(9_999);
        let first = |year| Self { year, month: 1, day: 1 }.ordinal();
        while year > 1 && first(year) > ordinal {
            year -= 1;
        }
        while year < 9_999 && first(year + 1) <= ordinal {
            year += 1;
        }
        let mut left = ordinal - first(year);
        let mut month = 1;
        while left >= i64::from(days_of(year, month)) {
            left -= i64::from(days_of(year, month));
            month += 1;
        }
        Self::new(year, month, u8::try_from(left + 1).unwrap_or(u8::MAX))
    }

    /// Days since the day before 1 January of year 1, as Python's `toordinal`.
    fn ordinal(self) -> i64 {
        let before = i64::from(self.year) - 1;
        let months = (1..self.month).map(|month| i64::from(days_of(self.year, month))).sum::<i64>();
        365 * before + before / 4 - before / 100 + before / 400 + months + i64::from(self.day)
    }
}

fn days_of(year: u16, month: u8) -> u8 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Python's `datetime.datetime`: naive, or aware by an offset or a zone's key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DateTime {
    date: Date,
    hour: u8,
    minute: u8,
    second: u8,
    fold: bool,
    microsecond: u32,
    zone: Option<TimeZone>,
}

impl DateTime {
    /// A naive one: hour to 23, minute and second to 59, microsecond to 999 999.
    pub fn new(
        date: Date,
        hour: u8,
        minute: u8,
        second: u8,
        microsecond: u32,
    ) -> Result<Self, OutOfRange> {
        within(hour < 24, "hour")?;
        within(minute < 60, "minute")?;
        within(second < 60, "second")?;
        within(microsecond < 1_000_000, "microsecond")?;
        Ok(Self { date, hour, minute, second, microsecond, fold: false, zone: None })
    }

    /// The same wall clock, in that zone.
    #[must_use]
    pub fn with_zone(mut self, zone: TimeZone) -> Self {
        self.zone = Some(zone);
        self
    }

    /// Of two moments with the same wall clock, when clocks are set back: the second one.
    #[must_use]
    pub fn with_fold(mut self, fold: bool) -> Self {
        self.fold = fold;
        self
    }

    /// Its day.
    pub fn date(&self) -> Date {
        self.date
    }

    /// 0 to 23.
    pub fn hour(&self) -> u8 {
        self.hour
    }

    /// 0 to 59.
    pub fn minute(&self) -> u8 {
        self.minute
    }

    /// 0 to 59.
    pub fn second(&self) -> u8 {
        self.second
    }

    /// 0 to 999 999.
    pub fn microsecond(&self) -> u32 {
        self.microsecond
    }

    /// See [`DateTime::with_fold`].
    pub fn fold(&self) -> bool {
        self.fold
    }

    /// Its zone; none where it is naive.
    pub fn zone(&self) -> Option<&TimeZone> {
        self.zone.as_ref()
    }

    /// What Python compares: aware or not, then microseconds, in UTC where it is aware. Those whose
    /// offset is not known are apart, by their zone and what the clock says.
    pub(super) fn key(&self) -> (u8, i64, Option<&str>) {
        let minutes = i64::from(self.hour) * 60 + i64::from(self.minute);
        let seconds = self.date.ordinal() * 86_400 + minutes * 60 + i64::from(self.second);
        let wall = seconds * 1_000_000 + i64::from(self.microsecond);
        match &self.zone {
            Some(zone) => match zone.offset_microseconds() {
                Some(offset) => (1, wall - offset, None),
                None => (2, wall, zone.key()),
            },
            None => (0, wall, None),
        }
    }

    /// So many microseconds after the beginning of 1970, by the clock: naive.
    pub(super) fn from_epoch(microseconds: i128) -> Result<Self, OutOfRange> {
        let days = microseconds.div_euclid(DAY);
        let rest = u64::try_from(microseconds.rem_euclid(DAY)).unwrap_or_default();
        let ordinal = i64::try_from(days).map_err(|_| OutOfRange("year"))?;
        let date = Date::from_ordinal(ordinal.saturating_add(EPOCH))?;
        let [second, minute, hour] = [(1, 60), (60, 60), (3_600, 24)]
            .map(|(unit, most)| u8::try_from(rest / 1_000_000 / unit % most).unwrap_or_default());
        Self::new(date, hour, minute, second, (rest % 1_000_000) as u32)
    }
}

/// The ordinal of 1 January 1970.
const EPOCH: i64 = 719_163;

/// Python's `datetime.timedelta`: a span of up to 999 999 999 days, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeDelta {
    days: i32,
    seconds: u32,
    microseconds: u32,
}

impl TimeDelta {
    /// No time at all.
    pub const ZERO: Self = Self { days: 0, seconds: 0, microseconds: 0 };

    /// The sum of the three, each of any sign, brought to Python's form: 0 to 86 399 seconds, 0 to
    /// 999 999 microseconds, and days of any sign.
    pub fn new(days: i64, seconds: i64, microseconds: i64) -> Result<Self, OutOfRange> {
        let seconds = i128::from(days) * 86_400 + i128::from(seconds);
        Self::from_microseconds(seconds * 1_000_000 + i128::from(microseconds))
    }

    fn from_microseconds(total: i128) -> Result<Self, OutOfRange> {
        let [days, rest] = [total.div_euclid(DAY), total.rem_euclid(DAY)];
        within((-999_999_999..=999_999_999).contains(&days), "days")?;
        let [seconds, microseconds] = [rest / 1_000_000, rest % 1_000_000];
        match (i32::try_from(days), u32::try_from(seconds), u32::try_from(microseconds)) {
            (Ok(days), Ok(seconds), Ok(microseconds)) => Ok(Self { days, seconds, microseconds }),
            _ => Err(OutOfRange("days")),
        }
    }

    /// Whole days, rounded down.
    pub fn days(self) -> i32 {
        self.days
    }

    /// 0 to 86 399, on top of the days.
    pub fn seconds(self) -> u32 {
        self.seconds
    }

    /// 0 to 999 999, on top of the seconds.
    pub fn microseconds(self) -> u32 {
        self.microseconds
    }

    /// All of it.
    pub fn total_microseconds(self) -> i128 {
        let seconds = i128::from(self.days) * 86_400 + i128::from(self.seconds);
        seconds * 1_000_000 + i128::from(self.microseconds)
    }
}

/// An offset that is not known.
const UNKNOWN: i64 = i64::MIN;

/// Microseconds of a day.
const DAY: i128 = 86_400_000_000;

/// Python's `datetime.timezone`, a fixed offset from UTC, maybe with a name; or a zone of the IANA
/// database by its key (`Europe/Paris`), with its offset at that moment where that is known.
///
/// With an offset it is sent as `timezone(offset, name)`, which every Python reads. Without, it is sent
/// as `zoneinfo.ZoneInfo(key)`, and only to peers that have that zone: the process would die of one
/// that it doesn't have. Those are peers that sent such a key themselves, and all where
/// [`Config::known_zones`](crate::Config) says so.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TimeZone {
    /// In microseconds; [`UNKNOWN`] only where there is a key.
    offset: i64,
    name: Option<Box<str>>,
    /// Whether the name is a key.
    is_key: bool,
}

impl TimeZone {
    /// Python's `timezone.utc`.
    pub const UTC: Self = Self { offset: 0, name: None, is_key: false };

    /// Bytes of a name or a key; the longest that keeps the pickle of a datetime under 256 bytes, with
    /// room to spare. Real ones have 3 to 30.
    pub const NAME_BYTES_MAX: usize = 128;

    /// An offset of less than a day, east of UTC where it is positive.
    pub fn new(offset: TimeDelta) -> Result<Self, OutOfRange> {
        let offset = offset.total_microseconds();
        within(offset.abs() < DAY, "offset")?;
        let offset = i64::try_from(offset).map_err(|_| OutOfRange("offset"))?;
        Ok(Self { offset, name: None, is_key: false })
    }

    /// The zone of that key of the IANA database: `Europe/Paris`. Nobody looks whether there is one.
    pub fn by_key(key: impl Into<Box<str>>) -> Result<Self, OutOfRange> {
        let key = key.into();
        within(Self::is_key(&key), "key of a zone")?;
        Ok(Self { offset: UNKNOWN, name: Some(key), is_key: true })
    }

    /// The same zone where its offset is known, of less than a day.
    pub fn at(self, offset: TimeDelta) -> Result<Self, OutOfRange> {
        let offset = Self::new(offset)?.offset;
        Ok(Self { offset, ..self })
    }

    /// Letters, digits and `_+-` in parts between slashes: a key names no other file than a zone's.
    pub(super) fn is_key(key: &str) -> bool {
        let part = |part: &str| {
            let known = |byte: u8| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte);
            !part.is_empty() && part.bytes().all(known)
        };
        key.len() <= Self::NAME_BYTES_MAX && key.split('/').all(part)
    }

    /// What the reader of pickles has checked already.
    pub(super) fn checked(offset: Option<TimeDelta>, name: Option<&str>, is_key: bool) -> Self {
        let offset = offset.and_then(|offset| i64::try_from(offset.total_microseconds()).ok());
        Self { offset: offset.unwrap_or(UNKNOWN), name: name.map(Box::from), is_key }
    }

    /// An offset with a name of at most [`TimeZone::NAME_BYTES_MAX`] bytes. A key is no more one then,
    /// and needs its offset.
    pub fn with_name(mut self, name: impl Into<Box<str>>) -> Result<Self, OutOfRange> {
        let name = name.into();
        within(name.len() <= Self::NAME_BYTES_MAX, "name")?;
        within(self.offset != UNKNOWN, "offset")?;
        (self.name, self.is_key) = (Some(name), false);
        Ok(self)
    }

    /// East of UTC where it is positive. `None` where there is a key alone.
    pub fn offset(&self) -> Option<TimeDelta> {
        TimeDelta::from_microseconds(self.offset_microseconds()?.into()).ok()
    }

    /// Its name, where it was given one, or its key.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Its key in the IANA database, where it has one.
    pub fn key(&self) -> Option<&str> {
        self.name().filter(|_| self.is_key)
    }

    /// What other crates can hold.
    #[cfg(any(feature = "chrono", feature = "jiff", feature = "time"))]
    fn whole_seconds(&self) -> Result<i32, OutOfRange> {
        let offset = self.offset_microseconds().ok_or(OutOfRange("zone by key alone"))?;
        within(offset % 1_000_000 == 0, "fraction of a second in an offset")?;
        i32::try_from(offset / 1_000_000).map_err(|_| OutOfRange("offset"))
    }

    /// What is kept: a [`Value`](super::Value) is no larger for the zones in it.
    pub(super) fn offset_microseconds(&self) -> Option<i64> {
        (self.offset != UNKNOWN).then_some(self.offset)
    }
}

impl fmt::Debug for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.offset_microseconds().map(|offset| offset as f64 / 1e6);
        match (seconds, &self.name) {
            (Some(seconds), Some(name)) => write!(f, "TimeZone({seconds} s, {name:?})"),
            (Some(seconds), None) => write!(f, "TimeZone({seconds} s)"),
            (None, name) => write!(f, "TimeZone({:?})", name.as_deref().unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_that_exist() {
        for (year, month, day) in [(2000, 2, 29), (2024, 2, 29), (1, 1, 1), (9999, 12, 31)] {
            assert!(Date::new(year, month, day).is_ok());
        }
        for (year, month, day) in
            [(1900, 2, 29), (2023, 2, 29), (2023, 4, 31), (0, 1, 1), (10_000, 1, 1), (1, 13, 1)]
        {
            assert!(Date::new(year, month, day).is_err());
        }
    }

    #[test]
    fn ordinals_are_pythons() {
        let ordinal = |year, month, day| Date::new(year, month, day).unwrap().ordinal();
        assert_eq!(ordinal(1, 1, 1), 1);
        assert_eq!(ordinal(1970, 1, 1), 719_163);
        assert_eq!(ordinal(2000, 3, 1), 730_180);
        assert_eq!(ordinal(9999, 12, 31), 3_652_059);
    }

    #[test]
    fn every_day_is_its_ordinal() {
        for ordinal in (1..3_652_059).step_by(31).chain([3_652_059, 719_163]) {
            assert_eq!(Date::from_ordinal(ordinal).unwrap().ordinal(), ordinal);
        }
        assert!(Date::from_ordinal(0).is_err() && Date::from_ordinal(3_652_060).is_err());
        let moment = DateTime::from_epoch(-1).unwrap();
        assert_eq!((moment.date().year(), moment.hour(), moment.second()), (1969, 23, 59));
        assert_eq!(moment.microsecond(), 999_999);
        assert!(DateTime::from_epoch(i128::MAX).is_err());
    }

    #[test]
    fn a_key_names_a_zone_and_no_file() {
        for key in ["UTC", "Europe/Paris", "America/Argentina/Buenos_Aires", "Etc/GMT+5"] {
            assert_eq!(TimeZone::by_key(key).unwrap().key(), Some(key));
        }
        for key in ["", "/etc/passwd", "../x", "a/../b", "a//b", "a/", "a b", "é", "a.b"] {
            assert!(TimeZone::by_key(key).is_err(), "{key}");
        }
        assert!(TimeZone::by_key("n".repeat(129)).is_err());
    }

    #[test]
    fn spans_have_one_form() {
        let minus = TimeDelta::new(0, 0, -1).unwrap();
        assert_eq!((minus.days(), minus.seconds(), minus.microseconds()), (-1, 86_399, 999_999));
        assert_eq!(TimeDelta::new(-1, 86_400, 0).unwrap(), TimeDelta::ZERO);
        assert_eq!(minus.total_microseconds(), -1);
        assert!(TimeDelta::new(999_999_999, 86_399, 999_999).is_ok());
        assert!(TimeDelta::new(999_999_999, 86_400, 0).is_err());
        assert!(TimeDelta::new(i64::MIN, i64::MIN, i64::MIN).is_err());
    }

    #[test]
    fn offsets_stay_under_a_day() {
        let zone = |seconds| TimeZone::new(TimeDelta::new(0, seconds, 0).unwrap());
        assert!(zone(86_399).is_ok() && zone(-86_399).is_ok());
        assert!(zone(86_400).is_err() && zone(-86_400).is_err());
        assert!(TimeZone::UTC.with_name("n".repeat(129)).is_err());
    }
}
