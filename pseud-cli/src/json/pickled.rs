//! What kaa.rpc's bodies hold besides: integers of any size, sets, complex numbers, and objects that are
//! not data.

use super::write::{Exts, Json, both, form};
use pseud::proto::Packed;
use pseud::proto::kaa::{BigInt, Complex, FrozenSet, PickledObject, Set, exts};
use pseud::proto::value::Value;
use serde::de::DeserializeOwned;
use serde::ser::{Error, Serialize, SerializeMap, Serializer};

/// Whether that is the code of one of them.
pub(super) fn is_one(code: i8) -> bool {
    (exts::BIG_INT..=exts::OBJECT).contains(&code)
}

pub(super) fn write<S: Serializer>(json: S, value: &Value) -> Result<S::Ok, S::Error> {
    match value {
        Value::Ext(exts::BIG_INT, _) => form(json, "$int", &digits(&decoded::<BigInt, S>(value)?)),
        Value::Ext(exts::SET, _) => form(json, "$set", &Items(&decoded::<Set<Value>, S>(value)?.0)),
        Value::Ext(exts::FROZEN_SET, _) => {
            form(json, "$frozenset", &Items(&decoded::<FrozenSet<Value>, S>(value)?.0))
        }
        Value::Ext(exts::COMPLEX, _) => {
            let Complex { real, imaginary } = decoded::<_, S>(value)?;
            let parts = [real, imaginary].map(Value::F64);
            form(json, "$complex", &Items(&parts))
        }
        _ => form(json, "$object", &Object(&decoded::<_, S>(value)?)),
    }
}

fn decoded<T: DeserializeOwned, S: Serializer>(value: &Value) -> Result<T, S::Error> {
    let packed = Packed::result(value).map_err(S::Error::custom)?;
    packed.decode().map_err(S::Error::custom)
}

/// In decimal digits; what has more than 128 bits in hexadecimal ones of its two's complement.
fn digits(value: &BigInt) -> String {
    value.to_i128().map_or_else(
        || {
            let bytes = value.as_le_bytes().iter().rev().copied().collect::<Vec<_>>();
            format!("0x{}", super::to_hex(&bytes))
        },
        |value| value.to_string(),
    )
}

/// What [`write`] writes, but for an object, which is none that could be sent.
pub(super) fn read(key: &str, inside: Value) -> Option<Value> {
    let packed = match (key, inside) {
        ("$int", Value::Str(digits)) => Packed::result(&integer(&digits)?),
        ("$set", Value::Array(items)) => Packed::result(&Set(items)),
        ("$frozenset", Value::Array(items)) => Packed::result(&FrozenSet(items)),
        ("$complex", Value::Array(parts)) => match parts.as_slice() {
            [real, imaginary] => {
                let (real, imaginary) = (real.as_f64()?, imaginary.as_f64()?);
                Packed::result(&Complex { real, imaginary })
            }
            _ => return None,
        },
        _ => return None,
    };
    Some(packed.ok()?.value())
}

fn integer(digits: &str) -> Option<BigInt> {
    match digits.strip_prefix("0x") {
        Some(hex) => {
            let mut bytes = super::from_hex(hex)?;
            bytes.reverse();
            Some(BigInt::from_le_bytes(bytes))
        }
        None => digits.parse::<i128>().ok().map(BigInt::from),
    }
}

struct Items<'a>(&'a [Value]);

impl Serialize for Items<'_> {
    fn serialize<S: Serializer>(&self, json: S) -> Result<S::Ok, S::Error> {
        json.collect_seq(self.0.iter().map(of))
    }
}

/// Its class, and of the rest what there is.
struct Object<'a>(&'a PickledObject);

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, json: S) -> Result<S::Ok, S::Error> {
        let PickledObject { class, args, state, items, pairs, .. } = self.0;
        let mut map = json.serialize_map(None)?;
        map.serialize_entry("class", class)?;
        for (name, value) in [("args", args), ("state", state)] {
            if *value != Value::Nil {
                map.serialize_entry(name, &of(value))?;
            }
        }
        if !items.is_empty() {
            map.serialize_entry("items", &Items(items))?;
        }
        if !pairs.is_empty() {
            map.serialize_entry("pairs", &both(pairs, Exts::Kaa))?;
        }
        map.end()
    }
}

fn of(value: &Value) -> Json<'_> {
    Json { value, exts: Exts::Kaa }
}
