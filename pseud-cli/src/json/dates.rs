//! Dates as ISO 8601 has them, as Python's `isoformat` writes them.
//!
//! The name of a zone stands in brackets behind its offset, as in RFC 9557: `+02:00[CEST]`.

use pseud::proto::value::{Date, DateTime, TimeDelta, TimeZone};

pub(super) fn date(day: Date) -> String {
    format!("{:04}-{:02}-{:02}", day.year(), day.month(), day.day())
}

pub(super) fn datetime(moment: &DateTime) -> String {
    let (hour, minute, second) = (moment.hour(), moment.minute(), moment.second());
    let time = format!("{hour:02}:{minute:02}:{second:02}{}", fraction(moment.microsecond()));
    format!("{}T{time}{}", date(moment.date()), moment.zone().map(zone).unwrap_or_default())
}

pub(super) fn zone(zone: &TimeZone) -> String {
    let name = zone.name().map(|name| format!("[{name}]")).unwrap_or_default();
    let Some(offset) = zone.offset() else { return name };
    let offset = offset.total_microseconds();
    let sign = if offset < 0 { '-' } else { '+' };
    let (seconds, micros) = split(offset);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let seconds = match (second, micros) {
        (0, 0) => String::new(),
        _ => format!(":{second:02}{}", fraction(micros)),
    };
    format!("{sign}{hour:02}:{minute:02}{seconds}{name}")
}

/// Seconds as a JSON number: exact, which a float of that many microseconds is not.
pub(super) fn seconds(span: TimeDelta) -> String {
    let total = span.total_microseconds();
    let (seconds, micros) = split(total);
    format!("{}{seconds}{}", if total < 0 { "-" } else { "" }, fraction(micros))
}

/// Without its sign: seconds, and microseconds on top.
fn split(total: i128) -> (u128, u32) {
    let total = total.unsigned_abs();
    (total / 1_000_000, u32::try_from(total % 1_000_000).unwrap_or_default())
}

fn fraction(micros: u32) -> String {
    match micros {
        0 => String::new(),
        _ => format!(".{micros:06}"),
    }
}

pub(super) fn read_date(text: &str) -> Option<Date> {
    let (day, rest) = take_date(text)?;
    rest.is_empty().then_some(day)
}

/// Naive without an offset. `T` or a space stands between date and time.
pub(super) fn read_datetime(text: &str) -> Option<DateTime> {
    let (day, rest) = take_date(text)?;
    let (hour, rest) = take_digits(rest.strip_prefix(['T', ' '])?, 2)?;
    let (minute, rest) = take_digits(rest.strip_prefix(':')?, 2)?;
    let (second, rest) = take_digits(rest.strip_prefix(':')?, 2)?;
    let (micros, rest) = take_fraction(rest)?;
    let [hour, minute, second] = [small(hour)?, small(minute)?, small(second)?];
    let moment = DateTime::new(day, hour, minute, second, micros).ok()?;
    match rest {
        "" => Some(moment),
        rest => Some(moment.with_zone(read_zone(rest)?)),
    }
}

/// `Z`, or `±HH:MM[:SS[.ffffff]]`; then maybe `[NAME]`. `[KEY]` alone is a zone by its key.
pub(super) fn read_zone(text: &str) -> Option<TimeZone> {
    let (offset, name) = match text.split_once('[') {
        Some((offset, name)) => (offset, Some(name.strip_suffix(']')?)),
        None => (text, None),
    };
    if let ("", Some(key)) = (offset, name) {
        return TimeZone::by_key(key).ok();
    }
    let zone = TimeZone::new(read_offset(offset)?).ok()?;
    match name {
        Some(name) => zone.with_name(name).ok(),
        None => Some(zone),
    }
}

fn read_offset(text: &str) -> Option<TimeDelta> {
    if text == "Z" {
        return Some(TimeDelta::ZERO);
    }
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+')?),
    };
    let (hour, rest) = take_digits(rest, 2)?;
    let (minute, rest) = take_digits(rest.strip_prefix(':')?, 2)?;
    let (second, rest) = match rest.strip_prefix(':') {
        Some(rest) => take_digits(rest, 2)?,
        None if rest.is_empty() => (0, rest),
        None => return None,
    };
    let (micros, rest) = take_fraction(rest)?;
    if minute > 59 || second > 59 || !rest.is_empty() {
        return None;
    }
    let seconds = i64::from(hour * 3_600 + minute * 60 + second);
    TimeDelta::new(0, sign * seconds, sign * i64::from(micros)).ok()
}

/// A number without exponent, with at most six digits behind the point.
pub(super) fn read_seconds(number: &str) -> Option<TimeDelta> {
    let (sign, digits) = match number.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, number),
    };
    let end = digits.find('.').unwrap_or(digits.len());
    let (seconds, rest) = digits.split_at(end);
    let (micros, rest) = take_fraction(rest)?;
    let seconds: i64 = seconds.parse().ok()?;
    let span = TimeDelta::new(0, sign * seconds, sign * i64::from(micros)).ok()?;
    rest.is_empty().then_some(span)
}

fn take_date(text: &str) -> Option<(Date, &str)> {
    let (year, rest) = take_digits(text, 4)?;
    let (month, rest) = take_digits(rest.strip_prefix('-')?, 2)?;
    let (day, rest) = take_digits(rest.strip_prefix('-')?, 2)?;
    Some((Date::new(u16::try_from(year).ok()?, small(month)?, small(day)?).ok()?, rest))
}

/// Exactly so many digits.
fn take_digits(text: &str, count: usize) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(count)?;
    let number = digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse().ok());
    Some((number.flatten()?, rest))
}

/// A point and one to six digits, as microseconds; 0 where there is no point.
fn take_fraction(text: &str) -> Option<(u32, &str)> {
    let Some(rest) = text.strip_prefix('.') else { return Some((0, text)) };
    let count = rest.bytes().take_while(u8::is_ascii_digit).count();
    let missing = 6u32.checked_sub(u32::try_from(count).ok()?)?;
    let (number, rest) = take_digits(rest, count)?;
    Some((number * 10u32.pow(missing), rest))
}

fn small(number: u32) -> Option<u8> {
    u8::try_from(number).ok()
}
