//! What the pickles of dates are matched against, and what a process needs to read one.

use crate::value::datetime::{Date, DateTime, OutOfRange, TimeDelta, TimeZone};

/// A date of some kind, borrowed from its pickle.
pub(crate) enum Shape<'a> {
    Zone(Zone<'a>),
    Delta(TimeDelta),
    DateTime(DateTime, Option<Zone<'a>>),
    Date(Date),
}

/// An offset under a day and a name that is short enough; or a zone's key, with its offset if that
/// is known.
pub(crate) struct Zone<'a> {
    pub(crate) offset: Option<TimeDelta>,
    pub(super) name: Option<&'a str>,
    pub(super) is_key: bool,
}

/// What a process would do that unpickles it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// It has the module `datetime`.
    Nothing,
    /// It looks up a zone by its key with `zoneinfo`, and fails where it has none of that key.
    Zone,
    /// It calls a class that is not `datetime`'s: a library's, or a program's own.
    Class,
}

/// A date, and what its pickle needs.
pub(crate) struct FoundDate<'a> {
    pub(crate) shape: Shape<'a>,
    pub(crate) needs: Needs,
}

impl<'a> FoundDate<'a> {
    pub(crate) fn is_zoneinfo(&self) -> bool {
        self.needs == Needs::Zone
    }

    /// The key that a process looks up which unpickles it, where that is all it does besides.
    pub(crate) fn zone_key(&self) -> Option<&'a str> {
        match (&self.shape, self.needs) {
            (Shape::Zone(zone) | Shape::DateTime(_, Some(zone)), Needs::Zone) => zone.name,
            _ => None,
        }
    }
}

impl From<Zone<'_>> for TimeZone {
    fn from(zone: Zone<'_>) -> Self {
        TimeZone::checked(zone.offset, zone.name, zone.is_key)
    }
}

/// An offset and a name as they stand in a pickle: the numbers were not looked at.
pub(super) struct RawZone<'a> {
    pub(super) offset: [i64; 3],
    pub(super) name: Option<&'a str>,
}

impl<'a> RawZone<'a> {
    pub(super) fn check(self) -> Result<Zone<'a>, OutOfRange> {
        let offset = TimeZone::new(delta(self.offset)?)?.offset();
        Ok(Zone { offset, name: self.name, is_key: false })
    }
}

pub(super) fn delta([days, seconds, microseconds]: [i64; 3]) -> Result<TimeDelta, OutOfRange> {
    TimeDelta::new(days, seconds, microseconds)
}

/// Ten bytes: the year in two, the month with the fold in bit 7, and the microsecond in three.
pub(super) fn datetime(bytes: [u8; 10]) -> Result<DateTime, OutOfRange> {
    let [y, year, month, day, hour, minute, second, a, b, c] = bytes;
    let date = Date::new(u16::from_be_bytes([y, year]), month & 0x7f, day)?;
    let microsecond = u32::from_be_bytes([0, a, b, c]);
    let naive = DateTime::new(date, hour, minute, second, microsecond)?;
    Ok(naive.with_fold(month & 0x80 != 0))
}
