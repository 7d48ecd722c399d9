//! Pickles to dates.

use super::{DATETIME, DELTA, ZONE, libraries};
use crate::value::datetime::{Date, DateTime, OutOfRange, TimeDelta, TimeZone};
use crate::value::dynamic::value::Value;

/// More bytes are no date. A datetime in a zone with the longest name that is written has 231; what
/// dateutil's zones carry with them 3 400.
const BYTES_MAX: usize = 8 << 10;

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
    pub(super) offset: Option<TimeDelta>,
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
pub(crate) struct Found<'a> {
    pub(crate) shape: Shape<'a>,
    pub(crate) needs: Needs,
}

impl<'a> Found<'a> {
    /// The value; `None` where it could not be written again, since a zone has a key of a library's
    /// and no offset: who passes it on dynamically passes on the ext.
    pub(crate) fn value(self) -> Option<Value> {
        let zone = match &self.shape {
            Shape::Zone(zone) | Shape::DateTime(_, Some(zone)) => Some(zone),
            _ => None,
        };
        let lost = zone.is_some_and(|zone| zone.offset.is_none()) && !self.is_zoneinfo();
        (!lost).then(|| self.shape.into())
    }

    fn is_zoneinfo(&self) -> bool {
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

impl From<Shape<'_>> for Value {
    fn from(shape: Shape<'_>) -> Self {
        match shape {
            Shape::Zone(zone) => Self::TimeZone(zone.into()),
            Shape::Delta(delta) => Self::TimeDelta(delta),
            Shape::DateTime(naive, None) => Self::DateTime(naive.into()),
            Shape::DateTime(naive, Some(zone)) => {
                Self::DateTime(naive.with_zone(zone.into()).into())
            }
            Shape::Date(date) => Self::Date(date),
        }
    }
}

impl From<Zone<'_>> for TimeZone {
    fn from(zone: Zone<'_>) -> Self {
        TimeZone::judged(zone.offset, zone.name, zone.is_key)
    }
}

/// The date in an ext; `None` where it is something else; an error where there is no such date.
pub(crate) fn read(code: i8, pickle: &[u8]) -> Result<Option<Found<'_>>, OutOfRange> {
    if !super::is_run(code) || pickle.len() > BYTES_MAX {
        return Ok(None);
    }
    let Some(reader) = Reader::open(pickle) else { return Ok(None) };
    let mut plain = reader;
    let raw = match code {
        ZONE => plain.zone().map(Raw::Zone),
        DELTA => plain.delta().map(Raw::Delta),
        DATETIME => plain.datetime(),
        _ => plain.date(),
    };
    match raw {
        Some(raw) if plain.rest == b"." => {
            raw.judge().map(|shape| Some(Found { shape, needs: Needs::Nothing }))
        }
        _ => Ok(libraries::read(code, reader)),
    }
}

/// The shape is right; the numbers in it were not looked at.
enum Raw<'a> {
    Zone(RawZone<'a>),
    Delta([i64; 3]),
    DateTime([u8; 10], Option<RawZone<'a>>),
    Date([u8; 4]),
}

pub(super) struct RawZone<'a> {
    offset: [i64; 3],
    name: Option<&'a str>,
}

impl<'a> Raw<'a> {
    fn judge(self) -> Result<Shape<'a>, OutOfRange> {
        Ok(match self {
            Self::Zone(zone) => Shape::Zone(zone.judge()?),
            Self::Delta(parts) => Shape::Delta(delta(parts)?),
            Self::DateTime(bytes, zone) => {
                Shape::DateTime(datetime(bytes)?, zone.map(RawZone::judge).transpose()?)
            }
            Self::Date([y, year, month, day]) => {
                Shape::Date(Date::new(u16::from_be_bytes([y, year]), month, day)?)
            }
        })
    }
}

impl<'a> RawZone<'a> {
    pub(super) fn judge(self) -> Result<Zone<'a>, OutOfRange> {
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

/// Matches opcodes one behind the other.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) rest: &'a [u8],
    dialect: Dialect,
    /// How many values were memoized: protocol 2 numbers them.
    pub(super) memo: u8,
    /// Which of them is the text `datetime`, the name of the module: it comes from there again.
    module: Option<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// Protocol 2: GLOBAL with text, BINPUT, bytes by way of `_codecs.encode(text, 'latin1')`.
    Two,
    /// Protocols 4 and 5: STACK_GLOBAL, MEMOIZE, SHORT_BINBYTES.
    Four,
}

impl<'a> Reader<'a> {
    /// Behind PROTO and FRAME; the frame has to hold exactly what follows.
    pub(super) fn open(pickle: &'a [u8]) -> Option<Self> {
        let (&[0x80, protocol], rest) = pickle.split_first_chunk()? else { return None };
        match protocol {
            2 => Some(Self { rest, dialect: Dialect::Two, memo: 0, module: None }),
            4 | 5 => {
                let (&[0x95, frame @ ..], rest) = rest.split_first_chunk::<9>()? else {
                    return None;
                };
                let whole = u64::from_le_bytes(frame) == rest.len() as u64;
                whole.then_some(Self { rest, dialect: Dialect::Four, memo: 0, module: None })
            }
            _ => None,
        }
    }

    /// Whether it is of protocol 4 or 5.
    pub(super) fn is_modern(&self) -> bool {
        self.dialect == Dialect::Four
    }

    fn date(&mut self) -> Option<Raw<'a>> {
        self.global("date")?;
        let bytes = self.bytes()?;
        self.call(0x85)?;
        Some(Raw::Date(bytes))
    }

    fn datetime(&mut self) -> Option<Raw<'a>> {
        self.global("datetime")?;
        let bytes = self.bytes()?;
        if self.call(0x85).is_some() {
            return Some(Raw::DateTime(bytes, None));
        }
        let zone = self.zone()?;
        self.call(0x86)?;
        Some(Raw::DateTime(bytes, Some(zone)))
    }

    pub(super) fn delta(&mut self) -> Option<[i64; 3]> {
        self.global("timedelta")?;
        let parts = [self.int()?, self.int()?, self.int()?];
        self.call(0x87)?;
        Some(parts)
    }

    pub(super) fn zone(&mut self) -> Option<RawZone<'a>> {
        self.global("timezone")?;
        let offset = self.delta()?;
        if self.call(0x85).is_some() {
            return Some(RawZone { offset, name: None });
        }
        let name = self.text()?;
        self.call(0x86)?;
        let short = name.len() <= TimeZone::NAME_BYTES_MAX;
        short.then_some(RawZone { offset, name: Some(name) })
    }

    /// A name in the module `datetime`, pushed and memoized.
    pub(super) fn global(&mut self, name: &str) -> Option<()> {
        match self.dialect {
            Dialect::Two => {
                self.take(b"cdatetime\n")?;
                self.take(name.as_bytes())?;
                self.take(b"\n")?;
            }
            Dialect::Four => {
                match self.module {
                    None => {
                        self.module = Some(self.memo);
                        self.expect("datetime")?;
                    }
                    Some(at) => self.take(&[0x68, at])?,
                }
                self.expect(name)?;
                self.take(&[0x93])?;
            }
        }
        self.memoize()
    }

    pub(super) fn expect(&mut self, text: &str) -> Option<()> {
        (self.text()? == text).then_some(())
    }

    /// TUPLE1, 2 or 3 and REDUCE, both memoized; nothing is taken where the tuple is another one.
    pub(super) fn call(&mut self, tuple: u8) -> Option<()> {
        self.take(&[tuple])?;
        self.memoize()?;
        self.take(&[0x52])?;
        self.memoize()
    }

    pub(super) fn memoize(&mut self) -> Option<()> {
        match self.dialect {
            Dialect::Two => self.take(&[0x71, self.memo])?,
            Dialect::Four => self.take(&[0x94])?,
        }
        self.memo = self.memo.checked_add(1)?;
        Some(())
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        let len = match self.dialect {
            Dialect::Two => {
                self.take(&[0x58])?;
                u32::from_le_bytes(self.fixed()?)
            }
            Dialect::Four => {
                self.take(&[0x8c])?;
                u32::from(u8::from_le_bytes(self.fixed()?))
            }
        };
        let (text, rest) = self.rest.split_at_checked(len as usize)?;
        self.rest = rest;
        self.memoize()?;
        std::str::from_utf8(text).ok()
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        match self.dialect {
            Dialect::Two => self.latin1(),
            Dialect::Four => {
                self.take(&[0x43, u8::try_from(N).ok()?])?;
                let bytes = self.fixed()?;
                self.memoize()?;
                Some(bytes)
            }
        }
    }

    /// `_codecs.encode(text, 'latin1')`, which is how protocol 2 spells bytes.
    fn latin1<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(b"c_codecs\nencode\n")?;
        self.memoize()?;
        let mut chars = self.text()?.chars();
        self.expect("latin1")?;
        self.call(0x86)?;
        let mut bytes = [0; N];
        for byte in &mut bytes {
            *byte = u8::try_from(u32::from(chars.next()?)).ok()?;
        }
        chars.next().is_none().then_some(bytes)
    }

    /// BININT1, BININT2 or BININT.
    pub(super) fn int(&mut self) -> Option<i64> {
        let [opcode] = self.fixed()?;
        match opcode {
            0x4b => Some(i64::from(u8::from_le_bytes(self.fixed()?))),
            0x4d => Some(i64::from(u16::from_le_bytes(self.fixed()?))),
            0x4a => Some(i64::from(i32::from_le_bytes(self.fixed()?))),
            _ => None,
        }
    }

    pub(super) fn take(&mut self, expected: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(expected)?;
        Some(())
    }

    pub(super) fn fixed<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*bytes)
    }
}
