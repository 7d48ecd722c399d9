//! Pickles to dates.

use super::{DATETIME, DELTA, ZONE};
use crate::value::datetime::{Date, DateTime, OutOfRange, TimeDelta, TimeZone};
use crate::value::value::Value;

/// More bytes are no date: a datetime in a zone with the longest name that is written has 231.
const BYTES_MAX: usize = 256;

/// A date of some kind, borrowed from its pickle.
pub(in crate::value) enum Shape<'a> {
    Zone(Zone<'a>),
    Delta(TimeDelta),
    DateTime(DateTime, Option<Zone<'a>>),
    Date(Date),
}

/// An offset under a day and a name that is short enough.
pub(in crate::value) struct Zone<'a> {
    offset: TimeDelta,
    name: Option<&'a str>,
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
        TimeZone::judged(zone.offset, zone.name)
    }
}

/// The date in an ext; `None` where it is something else; an error where there is no such date.
pub(in crate::value) fn read(code: i8, pickle: &[u8]) -> Result<Option<Shape<'_>>, OutOfRange> {
    if !super::is_run(code) || pickle.len() > BYTES_MAX {
        return Ok(None);
    }
    let Some(mut reader) = Reader::open(pickle) else { return Ok(None) };
    let raw = match code {
        ZONE => reader.zone().map(Raw::Zone),
        DELTA => reader.delta().map(Raw::Delta),
        DATETIME => reader.datetime(),
        _ => reader.date(),
    };
    match raw {
        Some(raw) if reader.rest == b"." => raw.judge().map(Some),
        _ => Ok(None),
    }
}

/// The shape is right; the numbers in it were not looked at.
enum Raw<'a> {
    Zone(RawZone<'a>),
    Delta([i64; 3]),
    DateTime([u8; 10], Option<RawZone<'a>>),
    Date([u8; 4]),
}

struct RawZone<'a> {
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
    fn judge(self) -> Result<Zone<'a>, OutOfRange> {
        let offset = TimeZone::new(delta(self.offset)?)?.offset();
        Ok(Zone { offset, name: self.name })
    }
}

fn delta([days, seconds, microseconds]: [i64; 3]) -> Result<TimeDelta, OutOfRange> {
    TimeDelta::new(days, seconds, microseconds)
}

/// Ten bytes: the year in two, the month with the fold in bit 7, and the microsecond in three.
fn datetime(bytes: [u8; 10]) -> Result<DateTime, OutOfRange> {
    let [y, year, month, day, hour, minute, second, a, b, c] = bytes;
    let date = Date::new(u16::from_be_bytes([y, year]), month & 0x7f, day)?;
    let microsecond = u32::from_be_bytes([0, a, b, c]);
    let naive = DateTime::new(date, hour, minute, second, microsecond)?;
    Ok(naive.with_fold(month & 0x80 != 0))
}

/// Matches opcodes one behind the other.
struct Reader<'a> {
    rest: &'a [u8],
    dialect: Dialect,
    /// How many values were memoized: protocol 2 numbers them.
    memo: u8,
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
    fn open(pickle: &'a [u8]) -> Option<Self> {
        let (&[0x80, protocol], rest) = pickle.split_first_chunk()? else { return None };
        match protocol {
            2 => Some(Self { rest, dialect: Dialect::Two, memo: 0 }),
            4 | 5 => {
                let (&[0x95, frame @ ..], rest) = rest.split_first_chunk::<9>()? else {
                    return None;
                };
                let whole = u64::from_le_bytes(frame) == rest.len() as u64;
                whole.then_some(Self { rest, dialect: Dialect::Four, memo: 0 })
            }
            _ => None,
        }
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

    fn delta(&mut self) -> Option<[i64; 3]> {
        self.global("timedelta")?;
        let parts = [self.int()?, self.int()?, self.int()?];
        self.call(0x87)?;
        Some(parts)
    }

    fn zone(&mut self) -> Option<RawZone<'a>> {
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
    fn global(&mut self, name: &str) -> Option<()> {
        match self.dialect {
            Dialect::Two => {
                self.take(b"cdatetime\n")?;
                self.take(name.as_bytes())?;
                self.take(b"\n")?;
            }
            Dialect::Four => {
                match self.memo {
                    0 => self.expect("datetime")?,
                    _ => self.take(&[0x68, 0])?,
                }
                self.expect(name)?;
                self.take(&[0x93])?;
            }
        }
        self.memoize()
    }

    fn expect(&mut self, text: &str) -> Option<()> {
        (self.text()? == text).then_some(())
    }

    /// TUPLE1, 2 or 3 and REDUCE, both memoized; nothing is taken where the tuple is another one.
    fn call(&mut self, tuple: u8) -> Option<()> {
        self.take(&[tuple])?;
        self.memoize()?;
        self.take(&[0x52])?;
        self.memoize()
    }

    fn memoize(&mut self) -> Option<()> {
        match self.dialect {
            Dialect::Two => self.take(&[0x71, self.memo])?,
            Dialect::Four => self.take(&[0x94])?,
        }
        self.memo = self.memo.checked_add(1)?;
        Some(())
    }

    fn text(&mut self) -> Option<&'a str> {
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

    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
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
    fn int(&mut self) -> Option<i64> {
        let [opcode] = self.fixed()?;
        match opcode {
            0x4b => Some(i64::from(u8::from_le_bytes(self.fixed()?))),
            0x4d => Some(i64::from(u16::from_le_bytes(self.fixed()?))),
            0x4a => Some(i64::from(i32::from_le_bytes(self.fixed()?))),
            _ => None,
        }
    }

    fn take(&mut self, expected: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(expected)?;
        Some(())
    }

    fn fixed<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*bytes)
    }
}
