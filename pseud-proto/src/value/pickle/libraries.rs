//! Datetimes of other classes than `datetime`'s own: by shape, as CPython 3.8 and later pickle them.
//!
//! | what | shape |
//! |---|---|
//! | `zoneinfo.ZoneInfo` | `getattr(ZoneInfo, '_unpickle')(key, from_cache)` |
//! | pytz | `_UTC()`, `_p(key)`, `_p(key, offset, dst, name)`, `FixedOffset(minutes)` |
//! | dateutil | `tzutc()`, `tzoffset(name, timedelta)` (both in 2 and 4), `tzfile` by its file's name or its key, and its state |
//! | a subclass of `datetime` | its class, ten bytes, maybe a zone |
//! | pandas | `_unpickle_timestamp(value, None, zone, unit)` |
//!
//! Names are compared, never looked up. The state that dateutil's zones bring along is passed over: it
//! ends where the pickle does.

use crate::value::datetime::{DateTime, TimeDelta, TimeZone};
use crate::value::pickle::codes::{DATETIME, ZONE, is_run};
use crate::value::pickle::opcodes::OpcodeReader;
use crate::value::pickle::shape::{FoundDate, Needs, Shape, Zone, datetime, delta};

/// The date in an ext whose pickle is none of `datetime`'s own.
pub(super) fn read(code: i8, mut reader: OpcodeReader<'_>) -> Option<FoundDate<'_>> {
    if !reader.is_modern() {
        return None;
    }
    match code {
        ZONE => {
            let (zone, needs) = reader.any_zone(b".")?;
            Some(FoundDate { shape: Shape::Zone(zone), needs })
        }
        DATETIME => reader.moment(),
        _ => None,
    }
}

/// `]` of a datetime whose last argument was its zone: TUPLE2, REDUCE, each memoized, and STOP.
const BEHIND_ZONE: &[u8] = b"\x86\x94\x52\x94.";

/// What a zone has for those who know its kind.
type AnyZone<'a> = (Zone<'a>, Needs);

/// How one kind of zone is read.
type ReadZone<'a> = fn(&mut OpcodeReader<'a>) -> Option<AnyZone<'a>>;

impl<'a> OpcodeReader<'a> {
    /// Any class with ten bytes and maybe a zone; or a pandas Timestamp.
    fn moment(&mut self) -> Option<FoundDate<'a>> {
        let start = *self;
        let own = self.global("datetime").is_some();
        if !own {
            *self = start;
            match (self.text()?, self.text()?) {
                ("pandas._libs.tslibs.timestamps", "_unpickle_timestamp") => {
                    return self.timestamp();
                }
                // No other class of `datetime` takes ten bytes: CPython raises a TypeError.
                ("datetime", _) => return None,
                _ => self.named()?,
            }
        }
        let naive = datetime(self.bytes()?).ok()?;
        let behind = *self;
        if self.call(0x85).is_some() {
            let shape = Shape::DateTime(naive, None);
            return (self.rest == b".").then_some(FoundDate { shape, needs: Needs::Class });
        }
        *self = behind;
        let (zone, needs) = self.any_zone(BEHIND_ZONE)?;
        let needs = if own { needs } else { Needs::Class };
        Some(FoundDate { shape: Shape::DateTime(naive, Some(zone)), needs })
    }

    /// STACK_GLOBAL, memoized, of the two texts before it.
    fn named(&mut self) -> Option<()> {
        self.take(&[0x93])?;
        self.memoize()
    }

    fn class(&mut self, module: &str, name: &str) -> Option<()> {
        self.expect(module)?;
        self.expect(name)?;
        self.named()
    }

    /// REDUCE, memoized.
    fn reduced(&mut self) -> Option<()> {
        self.take(&[0x52])?;
        self.memoize()
    }

    /// A zone of any kind, with exactly `tail` behind it.
    fn any_zone(&mut self, tail: &[u8]) -> Option<AnyZone<'a>> {
        let start = *self;
        let zone = self.zone_alone().filter(|_| self.rest == tail);
        zone.or_else(|| {
            *self = start;
            self.dateutil_file(tail)
        })
    }

    /// A zone whose end its own shape tells.
    fn zone_alone(&mut self) -> Option<AnyZone<'a>> {
        let kinds: [ReadZone<'a>; 4] =
            [Self::fixed_zone, Self::zoneinfo, Self::pytz, Self::dateutil];
        let start = *self;
        kinds.into_iter().find_map(|kind| {
            *self = start;
            kind(self)
        })
    }

    fn fixed_zone(&mut self) -> Option<AnyZone<'a>> {
        Some((self.zone()?.check().ok()?, Needs::Class))
    }

    fn zoneinfo(&mut self) -> Option<AnyZone<'a>> {
        self.class("builtins", "getattr")?;
        self.class("zoneinfo", "ZoneInfo")?;
        self.expect("_unpickle")?;
        self.call(0x86)?;
        let key = self.text()?;
        // Whether it comes from the cache of zones.
        matches!(self.int()?, 0 | 1).then_some(())?;
        self.call(0x86)?;
        Some((by_key(key, None)?, Needs::Zone))
    }

    fn pytz(&mut self) -> Option<AnyZone<'a>> {
        self.expect("pytz")?;
        let zone = match self.text()? {
            "_UTC" => {
                self.named()?;
                self.take(&[0x29])?;
                self.reduced()?;
                offset(TimeDelta::ZERO, None)?
            }
            "FixedOffset" => {
                self.named()?;
                let minutes = self.int()?;
                self.call(0x85)?;
                offset(TimeDelta::new(0, 60 * minutes, 0).ok()?, None)?
            }
            "_p" => {
                self.named()?;
                self.pytz_by_key()?
            }
            _ => return None,
        };
        Some((zone, Needs::Class))
    }

    /// `(key,)`; or the key, the offset and what of it is daylight saving, in seconds, and a name.
    fn pytz_by_key(&mut self) -> Option<Zone<'a>> {
        if self.take(&[0x28]).is_none() {
            let key = self.text()?;
            self.call(0x85)?;
            return by_key(key, None);
        }
        let (key, seconds, _) = (self.text()?, self.int()?, self.int()?);
        self.text_or_again()?;
        self.call(b't')?;
        by_key(key, Some(TimeDelta::new(0, seconds, 0).ok()?))
    }

    /// A text, or one that came before.
    fn text_or_again(&mut self) -> Option<()> {
        match self.take(&[0x68]) {
            Some(()) => self.fixed::<1>().map(drop),
            None => self.text().map(drop),
        }
    }

    fn dateutil(&mut self) -> Option<AnyZone<'a>> {
        self.expect("dateutil.tz.tz")?;
        let zone = match self.text()? {
            "tzutc" => {
                self.named()?;
                self.take(&[0x29])?;
                self.made()?;
                offset(TimeDelta::ZERO, None)?
            }
            "tzoffset" => {
                self.named()?;
                self.tzoffset()?
            }
            _ => return None,
        };
        Some((zone, Needs::Class))
    }

    /// `(name, timedelta)`; in dateutil 2 an object made of nothing, and its state
    /// `{'_name': name, '_offset': timedelta}`.
    fn tzoffset(&mut self) -> Option<Zone<'a>> {
        let has_state = self.take(&[0x29]).is_some();
        if has_state {
            self.made()?;
            self.take(&[0x7d])?;
            self.memoize()?;
            self.take(&[0x28])?;
            self.expect("_name")?;
        }
        let name = match self.take(&[0x4e]) {
            Some(()) => None,
            None => Some(self.text()?),
        };
        if has_state {
            self.expect("_offset")?;
        }
        let east = delta(self.delta()?).ok()?;
        match has_state {
            // SETITEMS and BUILD.
            true => self.take(b"ub")?,
            false => self.call(0x86)?,
        }
        offset(east, name)
    }

    /// REDUCE or NEWOBJ, memoized.
    fn made(&mut self) -> Option<()> {
        self.take(&[0x52]).or_else(|| self.take(&[0x81]))?;
        self.memoize()
    }

    /// In dateutil 2 `tzfile(None, path)` with a state, in 4 `_unpickle(tzfile, key, path, state)`.
    fn dateutil_file(&mut self, tail: &[u8]) -> Option<AnyZone<'a>> {
        let path = match self.text()? {
            "dateutil.tz.tz" => {
                self.expect("tzfile")?;
                self.named()?;
                self.take(&[0x4e])?;
                let path = self.text()?;
                self.call(0x86)?;
                path
            }
            "dateutil.tz._tzfile" => {
                let module = self.memo.checked_sub(1)?;
                self.expect("_unpickle")?;
                self.named()?;
                self.take(&[0x28, 0x68, module])?;
                self.expect("tzfile")?;
                self.named()?;
                self.text()?
            }
            _ => return None,
        };
        let key = path.rsplit_once("zoneinfo/").map_or(path, |(_, key)| key);
        let key = by_key(key, None)?;
        let state = self.rest.len().checked_sub(tail.len())?;
        self.rest = self.rest.get(state..)?;
        Some((key, Needs::Class))
    }

    /// `(value, None, zone, unit)`: a number since 1970 in UTC, or on the wall where there is no zone.
    fn timestamp(&mut self) -> Option<FoundDate<'a>> {
        self.named()?;
        self.take(&[0x28])?;
        let value = self.long()?;
        self.take(&[0x4e])?;
        let zone = match self.take(&[0x4e]) {
            Some(()) => None,
            None => Some(self.zone_alone()?.0),
        };
        let unit = self.int()?;
        self.call(b't')?;
        (self.rest == b".").then_some(())?;
        let value = i128::from(value);
        let microseconds = match unit {
            7 => value.checked_mul(1_000_000)?,
            8 => value.checked_mul(1_000)?,
            9 => value,
            10 => value.div_euclid(1_000),
            _ => return None,
        };
        // Where the clocks of a zone by key stood nobody says: it is told in UTC.
        let zone = match zone {
            Some(Zone { offset: None, .. }) => Some(offset(TimeDelta::ZERO, None)?),
            zone => zone,
        };
        let east = zone.as_ref().and_then(|zone| zone.offset).unwrap_or(TimeDelta::ZERO);
        let wall = DateTime::from_epoch(microseconds + east.total_microseconds()).ok()?;
        Some(FoundDate { shape: Shape::DateTime(wall, zone), needs: Needs::Class })
    }

    /// An integer of any size up to 64 bits.
    fn long(&mut self) -> Option<i64> {
        if self.take(&[0x8a]).is_none() {
            return self.int();
        }
        let [len] = self.fixed()?;
        let (bytes, rest) = self.rest.split_at_checked(len.into()).filter(|_| len <= 8)?;
        self.rest = rest;
        let sign = if bytes.last().is_some_and(|last| *last >= 0x80) { 0xff } else { 0 };
        let mut wide = [sign; 8];
        wide.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(i64::from_le_bytes(wide))
    }
}

fn offset(offset: TimeDelta, name: Option<&str>) -> Option<Zone<'_>> {
    let offset = TimeZone::new(offset).ok()?.offset();
    let name = name.filter(|name| name.len() <= TimeZone::NAME_BYTES_MAX);
    Some(Zone { offset, name, is_key: false })
}

fn by_key(key: &str, offset: Option<TimeDelta>) -> Option<Zone<'_>> {
    if !TimeZone::is_key(key) {
        return None;
    }
    let offset = match offset {
        Some(offset) => TimeZone::new(offset).ok()?.offset(),
        None => None,
    };
    Some(Zone { offset, name: Some(key), is_key: true })
}

/// The class that unpickling would call, for people: of a datetime that of its zone, where it is the
/// zone that is odd. Only what is written as CPython writes it.
fn class_of(pickle: &[u8]) -> Option<(&str, &str)> {
    let mut reader = OpcodeReader::open(pickle).filter(OpcodeReader::is_modern)?;
    let first = (reader.text()?, reader.text()?);
    reader.named()?;
    if first == ("datetime", "datetime")
        && reader.bytes::<10>().is_some()
        && let (Some(module), Some(name)) = (reader.text(), reader.text())
    {
        return Some((module, name));
    }
    Some(first)
}

/// An ext for people. Its class is a peer's word.
pub(crate) fn what_is(code: i8, bytes: &[u8]) -> String {
    let class = class_of(bytes).filter(|_| is_run(code));
    match class {
        Some((module, name)) => {
            let class: String = format!("{module}.{name}").chars().take(64).collect();
            format!("an ext of class `{}`", class.escape_debug())
        }
        None => format!("an ext of code {code}"),
    }
}
