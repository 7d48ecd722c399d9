//! Types for what only kaa.rpc's bodies hold.

use super::exts::{BIG_INT, COMPLEX, FROZEN_SET, OBJECT, SET};
use crate::value::{Ext, Packed, Unchecked, Value, ValueLimits};
use serde::de::{DeserializeOwned, Error as _};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An `int` of more than 64 bits, as an ext [`BIG_INT`](super::exts::BIG_INT). Smaller ones come as
/// numbers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BigInt(Vec<u8>);

impl BigInt {
    /// From its two's complement, the lowest byte first.
    pub fn from_le_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// Its two's complement, the lowest byte first.
    pub fn as_le_bytes(&self) -> &[u8] {
        &self.0
    }

    /// It, where it fits.
    pub fn to_i128(&self) -> Option<i128> {
        let fill = if self.0.last().is_some_and(|byte| *byte >= 0x80) { 0xff } else { 0 };
        let used = self.0.iter().rposition(|byte| *byte != fill).map_or(0, |last| last + 1);
        let mut wide = [fill; 16];
        wide.get_mut(..used)?.copy_from_slice(self.0.get(..used)?);
        let value = i128::from_le_bytes(wide);
        ((value < 0) == (fill == 0xff)).then_some(value)
    }
}

impl From<i128> for BigInt {
    fn from(value: i128) -> Self {
        Self(value.to_le_bytes().into())
    }
}

impl Serialize for BigInt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Ext::<BIG_INT>(self.0.clone()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for BigInt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Ext::<BIG_INT>::deserialize(deserializer)?.0))
    }
}

macro_rules! set {
    ($(#[$doc:meta])* $name:ident, $code:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Default)]
        pub struct $name<T>(
            /// What is in it, in the peer's order, which is any.
            pub Vec<T>,
        );

        impl<T> FromIterator<T> for $name<T> {
            fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
                Self(items.into_iter().collect())
            }
        }

        impl<T: Serialize> Serialize for $name<T> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let inner = Packed::result(&self.0).map_err(S::Error::custom)?;
                Ext::<$code>(inner.as_bytes().to_vec()).serialize(serializer)
            }
        }

        impl<'de, T: DeserializeOwned> Deserialize<'de> for $name<T> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let ext = Ext::<$code>::deserialize(deserializer)?;
                Ok(Self(inner(ext.0).map_err(D::Error::custom)?))
            }
        }
    };
}

set! {
    /// A `set`, as an ext [`SET`](super::exts::SET).
    Set, SET
}
set! {
    /// A `frozenset`, as an ext [`FROZEN_SET`](super::exts::FROZEN_SET).
    FrozenSet, FROZEN_SET
}

/// A `complex`, as an ext [`COMPLEX`](super::exts::COMPLEX).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Complex {
    /// Its real part.
    pub real: f64,
    /// Its imaginary part.
    pub imaginary: f64,
}

impl Serialize for Complex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let parts = [self.real.to_be_bytes(), self.imaginary.to_be_bytes()].concat();
        Ext::<COMPLEX>(parts).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Complex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ext = Ext::<COMPLEX>::deserialize(deserializer)?;
        match ext.0.as_chunks::<8>() {
            ([real, imaginary], []) => Ok(Self {
                real: f64::from_be_bytes(*real),
                imaginary: f64::from_be_bytes(*imaginary),
            }),
            _ => Err(D::Error::custom("a complex number has two parts of 8 bytes")),
        }
    }
}

/// A class, or an object of one, that is not data: what a pickle said about it, and nothing that was
/// made of that. It is read, and never sent.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct PickledObject {
    /// `module.class`: a peer's word. Empty where another call's result would be called.
    pub class: String,
    /// What it would be called with: an array. Nil where it is the class itself.
    pub args: Value,
    /// What would be set on it then; nil for nothing.
    pub state: Value,
    /// What would be appended to it.
    pub items: Vec<Value>,
    /// What would be set in it, as in a dict.
    pub pairs: Vec<(Value, Value)>,
}

impl<'de> Deserialize<'de> for PickledObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ext = Ext::<OBJECT>::deserialize(deserializer)?;
        let parts: Vec<Value> = inner(ext.0).map_err(D::Error::custom)?;
        let mut parts = parts.into_iter();
        let class = match parts.next() {
            Some(Value::Str(class)) => class,
            _ => return Err(D::Error::custom("an object has a class")),
        };
        let (args, state) = (parts.next(), parts.next());
        let items = match parts.next() {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        };
        let pairs = match parts.next() {
            Some(Value::Map(pairs)) => pairs,
            _ => Vec::new(),
        };
        let or_nil = |value: Option<Value>| value.unwrap_or(Value::Nil);
        Ok(Self { class, args: or_nil(args), state: or_nil(state), items, pairs })
    }
}

/// What an ext holds, checked as a body is.
fn inner<T: DeserializeOwned>(bytes: Vec<u8>) -> Result<T, String> {
    let limits = ValueLimits { ext_bytes_max: bytes.len(), ..ValueLimits::default() };
    let packed = Unchecked::new(bytes.into()).check(&limits).map_err(|bad| bad.to_string())?;
    packed.decode().map_err(|mismatch| mismatch.to_string())
}
