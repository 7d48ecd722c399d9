//! Random values, the same ones for the same seed.

use std::hash::{BuildHasher, RandomState};

use bytes::Bytes;
use pseud::Value;
use pseud::proto::value::{Date, DateTime, TimeDelta, TimeZone};

/// SplitMix64.
pub(crate) struct Random(u64);

impl Random {
    /// From the number in `PSEUD_SEED`, or a fresh one; printed, for whoever wants to replay it.
    pub(crate) fn seeded() -> Self {
        let seed = match std::env::var("PSEUD_SEED") {
            Ok(seed) => seed.parse().expect("PSEUD_SEED is a number"),
            Err(_) => RandomState::new().hash_one(()),
        };
        eprintln!("PSEUD_SEED={seed}");
        Self(seed)
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From zero to one less than `end`.
    fn below(&mut self, end: u64) -> u64 {
        self.bits() % end
    }

    /// As `below`, for the narrow types of dates.
    fn small(&mut self, end: u8) -> u8 {
        (self.bits() % u64::from(end)) as u8
    }

    /// Any value, arrays and maps nested so deep at most.
    pub(crate) fn value(&mut self, depth: u32) -> Value {
        match self.below(if depth == 0 { 11 } else { 15 }) {
            0 => Value::Nil,
            1 => Value::from(self.below(2) == 0),
            2 => Value::from(self.unsigned()),
            3 => Value::from(self.unsigned().cast_signed()),
            4 => Value::from(self.float()),
            5 => Value::from(self.text()),
            6 => Value::Bin(self.bytes()),
            7 => Value::Ext(self.code(), self.bytes()),
            8 => Value::Date(self.date()),
            9 => Value::TimeDelta(self.span(999_999_999)),
            10 => Value::DateTime(Box::new(self.moment())),
            11 => Value::TimeZone(self.zone()),
            12 | 13 => (0..self.below(6)).map(|_| self.value(depth - 1)).collect(),
            _ => (0..self.below(6)).map(|nth| (self.key(nth), self.value(depth - 1))).collect(),
        }
    }

    /// A key that differs, also in Python's eyes, from any of another `nth`.
    fn key(&mut self, nth: u64) -> Value {
        let text = format!("{nth}{}", self.text());
        match self.below(8) {
            0 if nth == 0 => Value::Nil,
            // To Python 2.0 and 2 are one key, True and 1 as well.
            1 => Value::from(nth + 2),
            2 => Value::from(nth as f64 + 0.5),
            3 => Value::Bin(text.into_bytes().into()),
            4 => Value::Array(vec![Value::from(text), Value::from(self.float())]),
            5 => Value::Ext(nth as i8, self.bytes()),
            6 => Value::Date(Date::new(1 + nth as u16, 2, 3).expect("an early year")),
            _ => Value::from(text),
        }
    }

    /// All lengths of integers alike.
    fn unsigned(&mut self) -> u64 {
        let width = self.below(64);
        self.bits() >> width
    }

    /// Any but a signalling NaN: those an assignment may change.
    fn float(&mut self) -> f64 {
        let any = f64::from_bits(self.bits());
        match self.below(4) {
            0 => self.unsigned() as f64 / 8.0,
            _ if any.is_nan() => f64::NAN,
            _ => any,
        }
    }

    fn text(&mut self) -> String {
        let length = self.below(40);
        (0..length).filter_map(|_| char::from_u32(self.unsigned() as u32 % 0x11_0000)).collect()
    }

    fn bytes(&mut self) -> Bytes {
        let length = self.unsigned() % 300;
        (0..length).map(|_| self.bits() as u8).collect()
    }

    /// Any but those of dates.
    fn code(&mut self) -> i8 {
        match self.below(124) as i8 {
            123 => 127,
            code => code,
        }
    }

    fn date(&mut self) -> Date {
        let year = 1 + self.below(9_999) as u16;
        Date::new(year, 1 + self.small(12), 1 + self.small(28)).expect("every month has 28 days")
    }

    fn moment(&mut self) -> DateTime {
        let microsecond = self.below(1_000_000) as u32 * self.below(2) as u32;
        let [hour, minute, second] = [24, 60, 60].map(|end| self.small(end));
        let naive = DateTime::new(self.date(), hour, minute, second, microsecond);
        let naive = naive.expect("a time of day").with_fold(self.below(2) == 0);
        match self.below(2) {
            0 => naive,
            _ => naive.with_zone(self.zone()),
        }
    }

    /// Less than so many days, of either sign.
    fn span(&mut self, days: i64) -> TimeDelta {
        let days = (self.bits() as i64) % days;
        let [seconds, microseconds] = [86_400, 1_000_000].map(|end| self.below(end) as i64);
        TimeDelta::new(days, seconds, microseconds).expect("far from the ends")
    }

    fn zone(&mut self) -> TimeZone {
        let offset = self.span(1);
        let zone = TimeZone::new(offset).expect("less than a day");
        match self.below(2) {
            0 => zone,
            _ => zone.with_name("n".repeat(self.below(129) as usize)).expect("128 bytes fit"),
        }
    }
}
