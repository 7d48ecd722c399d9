//! Wire values in the tagged JSON of `peer.py`, and random ones.

use pseud::Value as Wire;
use pseud::proto::value::{Date, DateTime, TimeDelta, TimeZone};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use serde_json::{Value, json};

use crate::talk::{bytes, hex};

/// Exactly this value: an array is a tuple, as Python hands it to a handler.
pub(crate) fn tagged(value: &Wire) -> Value {
    match value {
        Wire::Nil => Value::Null,
        Wire::Bool(value) => json!(value),
        Wire::Int(value) => match value.as_u64() {
            Some(value) => json!(value),
            None => json!(value.as_i64()),
        },
        Wire::F64(value) if value.is_finite() => json!(value),
        Wire::F64(value) => json!({"$float": value.to_string().to_lowercase()}),
        Wire::Str(value) => json!(value),
        Wire::Bin(value) => bytes(value),
        Wire::Array(items) => json!({"$tuple": items.iter().map(tagged).collect::<Vec<_>>()}),
        Wire::Map(pairs) => {
            let pairs = pairs.iter().map(|(key, value)| json!([tagged(key), tagged(value)]));
            json!({"$map": pairs.collect::<Vec<_>>()})
        }
        Wire::DateTime(value) => datetime(value),
        Wire::Date(value) => json!({"$date": iso(*value)}),
        Wire::TimeDelta(value) => json!({"$timedelta": timedelta(*value)}),
        Wire::TimeZone(value) => timezone(value),
        Wire::Ext(code, data) => json!({"$ext": [code, hex(data)]}),
        other => panic!("{other:?} has no tag yet"),
    }
}

fn iso(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
}

fn timedelta(delta: TimeDelta) -> Value {
    json!([delta.days(), delta.seconds(), delta.microseconds()])
}

fn timezone(zone: &TimeZone) -> Value {
    json!({"$timezone": [timedelta(zone.offset()), zone.name()]})
}

fn datetime(value: &DateTime) -> Value {
    let (hour, minute, second) = (value.hour(), value.minute(), value.second());
    let mut text = format!("{}T{hour:02}:{minute:02}:{second:02}", iso(value.date()));
    if value.microsecond() != 0 {
        text += &format!(".{:06}", value.microsecond());
    }
    let zone = value.zone().map(timezone);
    json!({"$datetime": text, "fold": u8::from(value.fold()), "tz": zone})
}

/// Makes values of any kind; the same seed makes the same ones.
pub(crate) struct Random(pub(crate) ChaCha8Rng);

/// Characters of one to four bytes, and those that JSON escapes.
const CHARS: [char; 8] = ['a', '\0', '"', '\\', 'ü', '\u{2028}', '€', '🦀'];

/// Where msgpack's forms of an integer meet.
const BORDERS: [i64; 7] = [0, 1 << 5, 1 << 7, 1 << 8, 1 << 16, 1 << 32, i64::MAX];

impl Random {
    /// A value with at most `depth` containers inside each other.
    pub(crate) fn value(&mut self, depth: usize) -> Wire {
        let kinds = if depth == 0 { 11 } else { 14 };
        match self.below(kinds) {
            0..6 => self.key(0),
            6 => Wire::Ext(self.below(123) as i8, self.bytes().into()),
            7 => Wire::Date(self.date()),
            8 => Wire::TimeDelta(self.timedelta()),
            9 => Wire::TimeZone(self.timezone()),
            10 => Wire::DateTime(Box::new(self.datetime())),
            11 => Wire::Array(self.several(|random| random.value(depth - 1))),
            12 => Wire::Array(vec![self.value(depth - 1); self.below(18)]),
            _ => Wire::Map(self.several(|random| (random.key(2), random.value(depth - 1)))),
        }
    }

    /// A value that is equal to itself and hashable in Python.
    fn key(&mut self, depth: usize) -> Wire {
        match self.below(if depth == 0 { 6 } else { 7 }) {
            0 => Wire::Nil,
            1 => (self.below(2) == 0).into(),
            2 => self.integer(),
            3 => self.float(),
            4 => self.text().into(),
            5 => Wire::Bin(self.bytes().into()),
            _ => Wire::Array(self.several(|random| random.key(depth - 1))),
        }
    }

    fn integer(&mut self) -> Wire {
        let near = BORDERS[self.below(BORDERS.len())].wrapping_add(self.below(3) as i64 - 1);
        match self.below(4) {
            0 => self.0.next_u64().into(),
            1 => near.cast_unsigned().into(),
            2 => near.into(),
            _ => near.wrapping_neg().into(),
        }
    }

    fn float(&mut self) -> Wire {
        let bits = f64::from_bits(self.0.next_u64());
        let small = self.below(3) as f64;
        let choices = [small, -small, f64::INFINITY, f64::MIN_POSITIVE, f64::MAX, bits];
        let float = choices[self.below(choices.len())];
        Wire::F64(if float.is_nan() { 0.5 } else { float })
    }

    fn text(&mut self) -> String {
        (0..self.length()).map(|_| CHARS[self.below(CHARS.len())]).collect()
    }

    fn bytes(&mut self) -> Vec<u8> {
        let mut bytes = vec![0; self.length()];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    fn date(&mut self) -> Date {
        let (year, month, day) = (self.below(9_999), self.below(12), self.below(28));
        Date::new(year as u16 + 1, month as u8 + 1, day as u8 + 1).expect("it exists")
    }

    fn timedelta(&mut self) -> TimeDelta {
        let days = self.below(1_999_999_999) as i64 - 999_999_999;
        let (seconds, microseconds) = (self.below(86_400) as i64, self.below(1_000_000) as i64);
        TimeDelta::new(days, seconds, microseconds).expect("in Python's range")
    }

    fn timezone(&mut self) -> TimeZone {
        let seconds = self.below(2 * 86_399) as i64 - 86_399;
        let offset = TimeDelta::new(0, seconds, 0).expect("less than a day");
        let zone = TimeZone::new(offset).expect("less than a day");
        match self.below(2) {
            0 => zone,
            _ => zone.with_name("Zone ü").expect("a short name"),
        }
    }

    fn datetime(&mut self) -> DateTime {
        let microsecond = [0, self.below(1_000_000) as u32][self.below(2)];
        let (hour, minute) = (self.below(24) as u8, self.below(60) as u8);
        let second = self.below(60) as u8;
        let naive = DateTime::new(self.date(), hour, minute, second, microsecond);
        let naive = naive.expect("it exists").with_fold(self.below(2) == 0);
        match self.below(2) {
            0 => naive,
            _ => naive.with_zone(self.timezone()),
        }
    }

    /// Mostly short; sometimes over the border of msgpack's next form.
    fn length(&mut self) -> usize {
        match self.below(8) {
            0 => 250 + self.below(12),
            1 => 28 + self.below(8),
            _ => self.below(6),
        }
    }

    fn several<T>(&mut self, mut one: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(5)).map(|_| one(self)).collect()
    }

    fn below(&mut self, end: usize) -> usize {
        (self.0.next_u64() % end as u64) as usize
    }
}
