//! [`Value`] in typed places: a struct's field, a tuple's item.

use super::keys;
use crate::value::EXT_STRUCT;
use crate::value::datetime::timestamp;
use crate::value::dynamic::value::Value;
use crate::value::pickle;
use crate::value::shared::share;
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_bytes::{ByteBuf, Bytes};
use std::fmt;

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Nil => serializer.serialize_none(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => match (value.as_u64(), value.as_i64()) {
                (Some(value), _) => serializer.serialize_u64(value),
                (None, value) => serializer.serialize_i64(value.unwrap_or_default()),
            },
            Self::F64(value) => serializer.serialize_f64(*value),
            Self::Str(value) => serializer.serialize_str(value),
            Self::Bin(value) => serializer.serialize_bytes(value),
            Self::Array(items) => serializer.collect_seq(items),
            Self::Map(pairs) => {
                serializer.collect_map(pairs.iter().map(|(key, value)| (key, value)))
            }
            Self::DateTime(value) => value.serialize(serializer),
            Self::Date(value) => value.serialize(serializer),
            Self::TimeDelta(value) => value.serialize(serializer),
            Self::TimeZone(value) => value.serialize(serializer),
            Self::Ext(code, bytes) => {
                serializer.serialize_newtype_struct(EXT_STRUCT, &(code, Bytes::new(bytes)))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Nil)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Nil)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_borrowed_bytes<E>(self, value: &'de [u8]) -> Result<Value, E> {
        Ok(Value::Bin(share(value)))
    }

    fn visit_bytes<E>(self, value: &[u8]) -> Result<Value, E> {
        Ok(Value::Bin(value.to_vec().into()))
    }

    fn visit_byte_buf<E>(self, value: Vec<u8>) -> Result<Value, E> {
        Ok(Value::Bin(value.into()))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::with_capacity(believed(items.size_hint()));
        while let Some(item) = items.next_element()? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut pairs = Vec::with_capacity(believed(items.size_hint()));
        while let Some(pair) = items.next_entry()? {
            pairs.push(pair);
        }
        Ok(Value::Map(keys::unique(pairs, keys::python_order)))
    }

    /// An ext, as rmp-serde has it: the pair of its code and its bytes.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, pair: D) -> Result<Value, D::Error> {
        let (code, bytes) = <(i8, ByteBuf)>::deserialize(pair)?;
        if let Some(moment) = timestamp::read(code, &bytes).map_err(de::Error::custom)? {
            return Ok(moment.into());
        }
        let date = pickle::read(code, &bytes).map_err(de::Error::custom)?;
        match date.and_then(|found| found.value()) {
            Some(date) => Ok(date),
            None => Ok(Value::Ext(code, bytes.into_vec().into())),
        }
    }
}

/// A format that is not ours may announce anything.
fn believed(hint: Option<usize>) -> usize {
    hint.unwrap_or_default().min(1024)
}
