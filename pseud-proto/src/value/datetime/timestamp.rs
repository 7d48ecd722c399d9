//! msgpack's own timestamps, ext -1: seconds since 1970 and nanoseconds, always in UTC.
//!
//! pseud's wire has none; u-msgpack's has no other date. Python holds microseconds, so what is finer is
//! cut off, as u-msgpack does.

#[cfg(feature = "rpcudp")]
use super::EPOCH;
use super::{DateTime, OutOfRange, TimeZone};

/// The ext's code.
pub(crate) const TIMESTAMP: i8 = -1;

/// The moment, if that is a timestamp's code; an error where it is of another length than msgpack has,
/// or outside of the years 1 to 9999.
pub(crate) fn read(code: i8, payload: &[u8]) -> Result<Option<DateTime>, OutOfRange> {
    if code != TIMESTAMP {
        return Ok(None);
    }
    let (seconds, nanoseconds) = parts(payload).ok_or(OutOfRange("length of a timestamp"))?;
    let microseconds = i128::from(seconds) * 1_000_000 + i128::from(nanoseconds / 1_000);
    DateTime::from_epoch(microseconds).map(|moment| Some(moment.with_zone(TimeZone::UTC)))
}

/// Seconds and nanoseconds of the three forms: 32 bits of seconds; 30 of nanoseconds and 34 of seconds;
/// 32 of nanoseconds and 64 of signed seconds.
fn parts(payload: &[u8]) -> Option<(i64, u64)> {
    if let Ok(seconds) = payload.try_into() {
        return Some((i64::from(u32::from_be_bytes(seconds)), 0));
    }
    if let Ok(both) = payload.try_into() {
        let both = u64::from_be_bytes(both);
        return Some((i64::try_from(both & SECONDS_64_MAX).ok()?, both >> 34));
    }
    let (nanoseconds, seconds) = payload.split_first_chunk()?;
    let seconds = i64::from_be_bytes(seconds.try_into().ok()?);
    Some((seconds, u64::from(u32::from_be_bytes(*nanoseconds))))
}

/// The largest number of seconds in the form of 64 bits.
const SECONDS_64_MAX: u64 = (1 << 34) - 1;

/// The whole ext, head included, in the smallest form, as u-msgpack packs it: a moment without a zone is
/// taken as UTC.
///
/// # Errors
/// A zone by its key alone: which moment it is nobody here knows.
#[cfg(feature = "rpcudp")]
pub(crate) fn write(moment: &DateTime, out: &mut Vec<u8>) -> Result<(), OutOfRange> {
    let (_, wall_in_utc, key) = moment.key();
    if key.is_some() {
        return Err(OutOfRange("zone by key alone"));
    }
    let microseconds = wall_in_utc - EPOCH * 86_400_000_000;
    let (seconds, fraction) =
        (microseconds.div_euclid(1_000_000), microseconds.rem_euclid(1_000_000));
    let nanoseconds = fraction.unsigned_abs() * 1_000;
    match (u32::try_from(seconds), u64::try_from(seconds)) {
        (Ok(seconds), _) if nanoseconds == 0 => {
            out.extend_from_slice(&[0xd6, 0xff]);
            out.extend_from_slice(&seconds.to_be_bytes());
        }
        (_, Ok(seconds)) if seconds <= SECONDS_64_MAX => {
            out.extend_from_slice(&[0xd7, 0xff]);
            out.extend_from_slice(&(nanoseconds << 34 | seconds).to_be_bytes());
        }
        _ => {
            out.extend_from_slice(&[0xc7, 12, 0xff]);
            out.extend_from_slice(&(nanoseconds as u32).to_be_bytes());
            out.extend_from_slice(&seconds.to_be_bytes());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_lengths_and_years_are_refused() {
        for length in [0, 1, 2, 3, 5, 7, 9, 11, 13, 16] {
            assert!(read(TIMESTAMP, &vec![0; length]).is_err(), "{length}");
        }
        let seconds =
            |seconds: i64| read(TIMESTAMP, &[&[0; 4], seconds.to_be_bytes().as_slice()].concat());
        for outside in [i64::MIN, i64::MAX, -62_135_596_801, 253_402_300_800] {
            assert!(seconds(outside).is_err(), "{outside}");
        }
        for inside in [-62_135_596_800, 0, 253_402_300_799] {
            assert!(matches!(seconds(inside), Ok(Some(_))), "{inside}");
        }
        assert_eq!(read(-2, &[0; 4]), Ok(None));
    }

    #[test]
    fn nanoseconds_over_a_second_are_carried_and_cut_as_u_msgpack_does() {
        let both = (1_500_000_999u64 << 34) | 1;
        let moment = read(TIMESTAMP, &both.to_be_bytes()[..]);
        // 30 bits hold at most 1 073 741 823.
        let carried = 1_500_000_999u64 & ((1 << 30) - 1);
        let micro = u32::try_from(carried / 1_000).unwrap();
        assert_eq!(moment.unwrap().unwrap().microsecond(), micro);
    }

    #[cfg(feature = "rpcudp")]
    #[test]
    fn what_is_written_is_read_again() {
        use crate::value::{Date, TimeDelta};
        let zone = TimeZone::new(TimeDelta::new(0, 7_200, 0).unwrap()).unwrap();
        for (year, microsecond) in [(1, 0), (1960, 5), (1970, 0), (2018, 4), (2600, 0), (9999, 7)] {
            let moment = DateTime::new(Date::new(year, 6, 2).unwrap(), 1, 2, 3, microsecond);
            let moment = moment.unwrap().with_zone(zone.clone());
            let mut out = Vec::new();
            write(&moment, &mut out).unwrap();
            let head = if out[0] == 0xc7 { 3 } else { 2 };
            let read = read(TIMESTAMP, &out[head..]).unwrap().unwrap();
            assert_eq!(read.key(), moment.key(), "{year}");
        }
    }
}
