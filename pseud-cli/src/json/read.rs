//! JSON to values.

use super::{dates, from_hex, pickled};
use pseud::proto::value::{Integer, Value};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// Values inside each other: what a peer may be sent.
const DEPTH_MAX: usize = 64;

const DATETIME: &str = "YYYY-MM-DDTHH:MM:SS[.ffffff], and Z or an offset if it is aware";
const SECONDS: &str = "seconds: a number with at most six digits behind the point";
const PICKLED: &str = "a list, of two numbers for $complex; for $int a text of digits";
const ZONE: &str = "Z or +HH:MM[:SS], maybe with a [NAME] of at most 128 bytes behind it";

/// JSON that stands for no value.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadJson {
    #[error("{0}")]
    Json(String),
    #[error("an integer is from -2^63 to 2^64-1: {0}")]
    Integer(String),
    #[error("a float has 64 bits: {0}; infinity is {{\"$float\": \"inf\"}}")]
    Float(String),
    #[error("nested more than {DEPTH_MAX} deep")]
    Depth,
    #[error("{{{key:?}: …}} takes {wants}")]
    Form { key: String, wants: &'static str },
}

impl From<serde_json::Error> for BadJson {
    fn from(error: serde_json::Error) -> Self {
        Self::Json(error.to_string())
    }
}

/// An argument from the command line: JSON is its value, anything else is a string.
///
/// # Errors
/// It is JSON, but a number out of range, or a `$` form that is not followed.
pub(crate) fn argument(text: &str) -> Result<Value, BadJson> {
    match serde_json::from_str(text) {
        Ok(raw) => value(raw, 0),
        Err(_) => Ok(text.into()),
    }
}

/// Read from the text, not from a tree: that keeps the order of keys and every digit.
fn value(raw: &RawValue, depth: usize) -> Result<Value, BadJson> {
    let text = raw.get();
    if depth > DEPTH_MAX {
        return Err(BadJson::Depth);
    }
    match text.as_bytes().first() {
        Some(b'n') => Ok(Value::Nil),
        Some(b't') => Ok(true.into()),
        Some(b'f') => Ok(false.into()),
        Some(b'"') => Ok(Value::Str(serde_json::from_str(text)?)),
        Some(b'[') => array(raw, depth),
        Some(b'{') => object(raw, depth),
        _ => number(text),
    }
}

fn number(text: &str) -> Result<Value, BadJson> {
    if text.contains(['.', 'e', 'E']) {
        let float = text.parse().ok().filter(|float: &f64| float.is_finite());
        return float.map(Value::F64).ok_or_else(|| BadJson::Float(text.to_owned()));
    }
    let integer = text.parse::<i128>().ok().and_then(|integer| Integer::try_from(integer).ok());
    integer.map(Value::Int).ok_or_else(|| BadJson::Integer(text.to_owned()))
}

fn array(raw: &RawValue, depth: usize) -> Result<Value, BadJson> {
    let items: Vec<&RawValue> = serde_json::from_str(raw.get())?;
    let items = items.into_iter().map(|item| value(item, depth + 1));
    Ok(Value::Array(items.collect::<Result<_, _>>()?))
}

fn object(raw: &RawValue, depth: usize) -> Result<Value, BadJson> {
    let Pairs(pairs) = serde_json::from_str(raw.get())?;
    match pairs.as_slice() {
        [(key, inside)] if key.starts_with('$') => form(key, inside, depth),
        _ => {
            let pairs =
                pairs.into_iter().map(|(key, item)| Ok((key.into(), value(item, depth + 1)?)));
            Ok(Value::Map(pairs.collect::<Result<_, BadJson>>()?))
        }
    }
}

fn form(key: &str, inside: &RawValue, depth: usize) -> Result<Value, BadJson> {
    let bad = |wants| BadJson::Form { key: key.to_owned(), wants };
    let (read, wants) = match key {
        "$map" => return map(inside, depth, bad("a list of pairs")),
        "$int" | "$set" | "$frozenset" | "$complex" => {
            (pickled::read(key, value(inside, depth + 1)?), PICKLED)
        }
        "$bin" => (text(inside, bytes), "hex digits, two a byte"),
        "$ext" => (ext(inside), "[code from 0 to 127, \"hex digits\"]"),
        "$float" => (text(inside, float), "nan, inf or -inf"),
        "$datetime" => (text(inside, |text| datetime(text, false)), DATETIME),
        "$datetime_fold" => (text(inside, |text| datetime(text, true)), DATETIME),
        "$date" => (text(inside, |text| dates::read_date(text).map(Value::Date)), "YYYY-MM-DD"),
        "$timedelta" => (dates::read_seconds(inside.get()).map(Value::TimeDelta), SECONDS),
        "$timezone" => (text(inside, |text| dates::read_zone(text).map(Value::TimeZone)), ZONE),
        _ => (None, "nothing: no such form; a dict with that key is {\"$map\": [[key, value]]}"),
    };
    read.ok_or_else(|| bad(wants))
}

fn map(inside: &RawValue, depth: usize, bad: BadJson) -> Result<Value, BadJson> {
    let Ok(pairs) = serde_json::from_str::<Vec<(&RawValue, &RawValue)>>(inside.get()) else {
        return Err(bad);
    };
    let pairs = pairs.into_iter().map(|(k, v)| Ok((value(k, depth + 1)?, value(v, depth + 1)?)));
    Ok(Value::Map(pairs.collect::<Result<_, BadJson>>()?))
}

fn text(raw: &RawValue, read: impl Fn(&str) -> Option<Value>) -> Option<Value> {
    let text: String = serde_json::from_str(raw.get()).ok()?;
    read(&text)
}

fn datetime(text: &str, fold: bool) -> Option<Value> {
    Some(Value::DateTime(Box::new(dates::read_datetime(text)?.with_fold(fold))))
}

fn bytes(hex: &str) -> Option<Value> {
    Some(Value::Bin(from_hex(hex)?.into()))
}

fn ext(raw: &RawValue) -> Option<Value> {
    let (code, hex): (i8, String) = serde_json::from_str(raw.get()).ok()?;
    (code >= 0).then_some(Value::Ext(code, from_hex(&hex)?.into()))
}

fn float(name: &str) -> Option<Value> {
    match name {
        "nan" => Some(f64::NAN.into()),
        "inf" => Some(f64::INFINITY.into()),
        "-inf" => Some(f64::NEG_INFINITY.into()),
        _ => None,
    }
}

/// An object's pairs as they are written, in order.
struct Pairs<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor).map(Self)
    }
}

struct PairsVisitor;

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(pairs)
    }
}
