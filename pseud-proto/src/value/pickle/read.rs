//! Pickles to dates.

use super::libraries;
use crate::value::datetime::{Date, OutOfRange};
use crate::value::pickle::codes::{DATETIME, DELTA, ZONE, is_run};
use crate::value::pickle::opcodes::OpcodeReader;
use crate::value::pickle::shape::{FoundDate, Needs, RawZone, Shape, datetime, delta};

/// More bytes are no date. A datetime in a zone with the longest name that is written has 231; what
/// dateutil's zones carry with them 3 400.
const BYTES_MAX: usize = 8 << 10;

/// The date in an ext; `None` where it is something else; an error where there is no such date.
pub(crate) fn read(code: i8, pickle: &[u8]) -> Result<Option<FoundDate<'_>>, OutOfRange> {
    if !is_run(code) || pickle.len() > BYTES_MAX {
        return Ok(None);
    }
    let Some(reader) = OpcodeReader::open(pickle) else { return Ok(None) };
    let mut plain = reader;
    let raw = match code {
        ZONE => plain.zone().map(RawShape::Zone),
        DELTA => plain.delta().map(RawShape::Delta),
        DATETIME => plain.datetime(),
        _ => plain.date(),
    };
    match raw {
        Some(raw) if plain.rest == b"." => {
            raw.check().map(|shape| Some(FoundDate { shape, needs: Needs::Nothing }))
        }
        _ => Ok(libraries::read(code, reader)),
    }
}

/// The shape is right; the numbers in it were not looked at.
enum RawShape<'a> {
    Zone(RawZone<'a>),
    Delta([i64; 3]),
    DateTime([u8; 10], Option<RawZone<'a>>),
    Date([u8; 4]),
}

impl<'a> RawShape<'a> {
    fn check(self) -> Result<Shape<'a>, OutOfRange> {
        Ok(match self {
            Self::Zone(zone) => Shape::Zone(zone.check()?),
            Self::Delta(parts) => Shape::Delta(delta(parts)?),
            Self::DateTime(bytes, zone) => {
                Shape::DateTime(datetime(bytes)?, zone.map(RawZone::check).transpose()?)
            }
            Self::Date([y, year, month, day]) => {
                Shape::Date(Date::new(u16::from_be_bytes([y, year]), month, day)?)
            }
        })
    }
}

impl<'a> OpcodeReader<'a> {
    fn date(&mut self) -> Option<RawShape<'a>> {
        self.global("date")?;
        let bytes = self.bytes()?;
        self.call(0x85)?;
        Some(RawShape::Date(bytes))
    }

    fn datetime(&mut self) -> Option<RawShape<'a>> {
        self.global("datetime")?;
        let bytes = self.bytes()?;
        if self.call(0x85).is_some() {
            return Some(RawShape::DateTime(bytes, None));
        }
        let zone = self.zone()?;
        self.call(0x86)?;
        Some(RawShape::DateTime(bytes, Some(zone)))
    }
}
