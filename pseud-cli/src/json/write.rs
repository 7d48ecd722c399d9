//! Values to JSON.

use super::{dates, pickled, to_hex};
use pseud::proto::value::{DateTime, TimeDelta, Value};
use serde::ser::{Error, Serialize, Serializer};
use serde_json::ser::Formatter;
use serde_json::value::RawValue;
use std::io;

/// One line of JSON. Characters that steer a terminal are escaped, so that it may be shown on one.
///
/// # Errors
/// A kind of value that is unknown here.
pub(crate) fn write(value: &Value) -> Result<String, serde_json::Error> {
    write_of(value, Exts::Unknown)
}

/// The same, of a wire that says what its exts mean.
///
/// # Errors
/// The same, or such an ext is malformed.
pub(crate) fn write_of(value: &Value, exts: Exts) -> Result<String, serde_json::Error> {
    let mut text = Vec::new();
    Json { value, exts }.serialize(&mut serde_json::Serializer::with_formatter(&mut text, Safe))?;
    String::from_utf8(text).map_err(serde_json::Error::custom)
}

/// Compact; serde_json leaves DEL and the C1 controls as they are.
struct Safe;

impl Formatter for Safe {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        for part in fragment.split_inclusive(char::is_control) {
            let plain = part.trim_end_matches(char::is_control);
            writer.write_all(plain.as_bytes())?;
            for control in part[plain.len()..].chars() {
                write!(writer, "\\u{:04x}", u32::from(control))?;
            }
        }
        Ok(())
    }
}

/// What an ext means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exts {
    /// Nobody knows.
    Unknown,
    /// What kaa.rpc's bodies hold besides, so many inside each other: see [`pickled`].
    Kaa(u8),
}

impl Exts {
    /// Of kaa.rpc, as deep as a body may be.
    pub(crate) const KAA: Self = Self::Kaa(64);
}

struct Json<'a> {
    value: &'a Value,
    exts: Exts,
}

impl<'a> Json<'a> {
    fn all(items: &'a [Value], exts: Exts) -> impl Iterator<Item = Self> {
        items.iter().map(move |value| Self { value, exts })
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, json: S) -> Result<S::Ok, S::Error> {
        let exts = self.exts;
        match self.value {
            Value::Nil => json.serialize_unit(),
            Value::Bool(value) => json.serialize_bool(*value),
            Value::Int(value) => json.serialize_i128(value.as_i128()),
            Value::F64(value) if value.is_finite() => json.serialize_f64(*value),
            Value::F64(value) => form(json, "$float", &value.to_string().to_lowercase()),
            Value::Str(text) => json.serialize_str(text),
            Value::Bin(bytes) => form(json, "$bin", &to_hex(bytes)),
            Value::Array(items) => json.collect_seq(Self::all(items, exts)),
            Value::Map(pairs) => map(json, pairs, exts),
            Value::DateTime(moment) => datetime(json, moment),
            Value::Date(day) => form(json, "$date", &dates::date(*day)),
            Value::TimeDelta(span) => timedelta(json, *span),
            Value::TimeZone(zone) => form(json, "$timezone", &dates::zone(zone)),
            Value::Ext(code, _) if exts != Exts::Unknown && pickled::is_one(*code) => {
                let Exts::Kaa(left @ 1..) = exts else {
                    return Err(S::Error::custom("a value that is too deep"));
                };
                let exts = Exts::Kaa(left - 1);
                let (key, inside) = pickled::form(self.value).map_err(S::Error::custom)?;
                form(json, key, &Json { value: &inside, exts })
            }
            Value::Ext(code, bytes) => form(json, "$ext", &(code, to_hex(bytes))),
            _ => Err(S::Error::custom("a kind of value that JSON has no form for")),
        }
    }
}

fn form<S: Serializer, T: Serialize>(json: S, key: &str, inside: &T) -> Result<S::Ok, S::Error> {
    json.collect_map([(key, inside)])
}

/// ISO 8601 does not tell the two moments of one wall clock apart, which Python's `fold` does.
fn datetime<S: Serializer>(json: S, moment: &DateTime) -> Result<S::Ok, S::Error> {
    let key = if moment.fold() { "$datetime_fold" } else { "$datetime" };
    form(json, key, &dates::datetime(moment))
}

fn timedelta<S: Serializer>(json: S, span: TimeDelta) -> Result<S::Ok, S::Error> {
    let seconds = RawValue::from_string(dates::seconds(span)).map_err(S::Error::custom)?;
    form(json, "$timedelta", &seconds)
}

fn map<S: Serializer>(json: S, pairs: &[(Value, Value)], exts: Exts) -> Result<S::Ok, S::Error> {
    match named(pairs, exts) {
        Some(named) => json.collect_map(named),
        None => {
            let of = |value| Json { value, exts };
            let pairs: Vec<_> = pairs.iter().map(|(key, value)| (of(key), of(value))).collect();
            form(json, "$map", &pairs)
        }
    }
}

/// The pairs, if all keys are strings and nobody takes them for a form.
fn named(pairs: &[(Value, Value)], exts: Exts) -> Option<Vec<(&str, Json<'_>)>> {
    let named = pairs.iter().map(|(key, value)| Some((key.as_str()?, Json { value, exts })));
    let named: Vec<_> = named.collect::<Option<_>>()?;
    match named.as_slice() {
        [(key, _)] if key.starts_with('$') => None,
        _ => Some(named),
    }
}
