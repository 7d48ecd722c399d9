//! Dates in typed places: exts, as rmp-serde has them.

use super::{Date, DateTime, TimeDelta, TimeZone, timestamp};
use crate::value::{EXT_STRUCT, Value, pickle};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_bytes::{ByteBuf, Bytes};
use std::fmt;
use std::marker::PhantomData;

/// A type with an ext code of its own.
trait ExtCoded: Sized {
    const WHAT: &'static str;

    fn of(value: Value) -> Option<Self>;
}

macro_rules! dated {
    ($kind:ident, $what:literal, $value:ident => $own:expr) => {
        impl ExtCoded for $kind {
            const WHAT: &'static str = $what;

            fn of(value: Value) -> Option<Self> {
                match value {
                    Value::$kind($value) => Some($own),
                    _ => None,
                }
            }
        }

        impl Serialize for $kind {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let (code, pickle) = pickle::write(&pickle::Dated::$kind(self));
                let pair = (code, Bytes::new(pickle.as_slice()));
                serializer.serialize_newtype_struct(EXT_STRUCT, &pair)
            }
        }

        impl<'de> Deserialize<'de> for $kind {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_newtype_struct(EXT_STRUCT, DatedVisitor(PhantomData))
            }
        }

        impl From<$kind> for Value {
            fn from(value: $kind) -> Self {
                Self::$kind(value.into())
            }
        }
    };
}

dated!(DateTime, "a datetime", value => *value);
dated!(Date, "a date", value => value);
dated!(TimeDelta, "a timedelta", value => value);
dated!(TimeZone, "a timezone", value => value);

struct DatedVisitor<T>(PhantomData<T>);

impl<'de, T: ExtCoded> Visitor<'de> for DatedVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::WHAT)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, pair: D) -> Result<T, D::Error> {
        let (code, bytes) = <(i8, ByteBuf)>::deserialize(pair)?;
        let moment = timestamp::read(code, &bytes).map_err(D::Error::custom)?;
        let value = pickle::read(code, &bytes).map_err(D::Error::custom)?;
        let value = moment.map(Value::from).or_else(|| value.map(|found| found.shape.into()));
        let found = value.and_then(T::of);
        found.ok_or_else(|| {
            D::Error::custom(format_args!(
                "expected {}, found {}",
                T::WHAT,
                pickle::what_is(code, &bytes)
            ))
        })
    }
}
