//! Datetimes as pseud 0.0.x on Python 2 writes them: a map.

use super::{Date, DateTime, TimeZone};
use crate::value::Value;

impl Value {
    /// The datetime of a pseud 0.0.x peer, if this is one: the map
    /// `{'__datetime__': true, 'as_str': '2003-09-27T09:40:01.521290Z', 'tz': nil or a name}`, its
    /// keys and texts bin or str.
    ///
    /// Such a peer converts to UTC whatever has a zone: with a name under `tz` the result is in
    /// UTC, the same instant; without, it is naive, in spite of its `Z`.
    pub fn from_legacy_datetime(&self) -> Option<DateTime> {
        if self.legacy("__datetime__")?.as_bool() != Some(true) {
            return None;
        }
        let naive = parse(text(self.legacy("as_str")?)?)?;
        match self.legacy("tz")? {
            Value::Nil => Some(naive),
            name => text(name).map(|_| naive.with_zone(TimeZone::UTC)),
        }
    }

    fn legacy(&self, key: &str) -> Option<&Value> {
        let (_, value) = self.as_map()?.iter().find(|(name, _)| text(name) == Some(key))?;
        Some(value)
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Str(text) => Some(text),
        Value::Bin(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    }
}

/// `YYYY-MM-DDTHH:MM:SS[.ffffff]Z`.
fn parse(text: &str) -> Option<DateTime> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, "000000"));
    let [year, month, day] = digits(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = digits(time, ':', [2, 2, 2])?;
    let [microsecond] = digits(fraction, '.', [6])?;
    let date =
        Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()?;
    let [hour, minute, second] = [hour, minute, second].map(|part| u8::try_from(part).ok());
    DateTime::new(date, hour?, minute?, second?, microsecond).ok()
}

/// Numbers of exactly so many digits.
fn digits<const N: usize>(text: &str, between: char, lengths: [usize; N]) -> Option<[u32; N]> {
    let mut parts = text.split(between);
    let mut numbers = [0; N];
    for (number, length) in numbers.iter_mut().zip(lengths) {
        let part = parts.next()?;
        if part.len() != length || !part.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_datetime_stays_a_map() {
        for text in [
            "",
            "Z",
            "2003-09-27T09:40:01",
            "2003-9-27T09:40:01Z",
            "2003-09-31T09:40:01Z",
            "2003-09-27T24:40:01Z",
            "2003-09-27T09:40:01.52Z",
            "+003-09-27T09:40:01Z",
            "2003-09-27T09:40:01-02Z",
            "2003-09-27 09:40:01Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        let map = |kind: bool, tz: Value| {
            let text = Value::from("2003-09-27T09:40:01Z");
            [("__datetime__", kind.into()), ("as_str", text), ("tz", tz)].into_iter().collect()
        };
        let read = |value: Value| value.from_legacy_datetime();
        assert!(read(map(true, Value::Nil)).is_some_and(|moment| moment.zone().is_none()));
        assert!(read(map(true, "CET".into())).is_some_and(|moment| moment.zone().is_some()));
        assert_eq!(read(map(false, Value::Nil)), None);
        assert_eq!(read(map(true, 1.into())), None);
        assert_eq!(read(Value::Nil), None);
    }
}
