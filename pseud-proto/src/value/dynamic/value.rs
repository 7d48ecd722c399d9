//! What a body can hold, with no schema.

use crate::value::Integer;
use crate::value::datetime::{Date, DateTime, TimeDelta, TimeZone};
use bytes::Bytes;

/// One value as Python sees it, for tools, tests and handlers that take anything.
///
/// It encodes to the bytes that Python's packer writes: smallest integers, 64-bit floats, str and
/// bin kept apart, maps in order. `Debug` prints it whole.
///
/// ```
/// use pseud_proto::value::{Packed, Value, ValueLimits};
///
/// let value = Value::Array(vec![1.into(), "two".into(), Value::Nil]);
/// let body = Packed::result(&value)?;
/// assert_eq!(body.as_bytes(), b"\x93\x01\xa3two\xc0");
/// assert_eq!(body.value(), value);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// `None`.
    Nil,
    /// `True` or `False`.
    Bool(bool),
    /// An `int` of up to 64 bits.
    Int(Integer),
    /// A `float`; 32-bit ones are read as 64-bit ones.
    F64(f64),
    /// A `str`.
    Str(String),
    /// `bytes` or a `bytearray`.
    Bin(Bytes),
    /// A `tuple` or a `list`: Python reads it as a tuple.
    Array(Vec<Value>),
    /// A `dict`, in order. Any key without a map inside is one. Decoding keeps of equal keys the
    /// first one's place and the last one's value; encoding writes the pairs as they are.
    Map(Vec<(Value, Value)>),
    /// A `datetime.datetime`, ext 125.
    DateTime(Box<DateTime>),
    /// A `datetime.date`, ext 126.
    Date(Date),
    /// A `datetime.timedelta`, ext 124.
    TimeDelta(TimeDelta),
    /// A `datetime.timezone`, ext 123.
    TimeZone(TimeZone),
    /// An ext nobody here has decoded: its code, 0 to 127 (Python refuses negative ones), and its
    /// bytes. Codes 123 to 126 with other content than dates are never sent to a v1 peer: it would
    /// run them.
    Ext(i8, Bytes),
}

impl Value {
    /// The bool, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The integer, if it is one that fits.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(value) => value.as_i64(),
            _ => None,
        }
    }

    /// The integer, if it is one that fits.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Int(value) => value.as_u64(),
            _ => None,
        }
    }

    /// The float, if it is one. An integer is not: Python tells them apart.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::F64(value) => Some(*value),
            _ => None,
        }
    }

    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(value) => Some(value),
            _ => None,
        }
    }

    /// The bytes, if it is a bin.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bin(value) => Some(value),
            _ => None,
        }
    }

    /// The items, if it is an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The pairs, if it is a map.
    pub fn as_map(&self) -> Option<&[(Value, Value)]> {
        match self {
            Self::Map(pairs) => Some(pairs),
            _ => None,
        }
    }

    /// The moment, if it is one.
    pub fn as_datetime(&self) -> Option<&DateTime> {
        match self {
            Self::DateTime(moment) => Some(moment),
            _ => None,
        }
    }

    /// Whether it is nil.
    pub fn is_nil(&self) -> bool {
        matches!(self, Self::Nil)
    }

    /// What a map holds under a str key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let (_, value) = self.as_map()?.iter().rfind(|(name, _)| name.as_str() == Some(key))?;
        Some(value)
    }
}

macro_rules! from {
    ($($kind:ty => |$value:ident| $made:expr;)*) => {$(
        impl From<$kind> for Value {
            fn from($value: $kind) -> Self {
                $made
            }
        }
    )*};
}

from! {
    () => |_value| Self::Nil;
    bool => |value| Self::Bool(value);
    i8 => |value| Self::Int(value.into());
    i16 => |value| Self::Int(value.into());
    i32 => |value| Self::Int(value.into());
    i64 => |value| Self::Int(value.into());
    u8 => |value| Self::Int(value.into());
    u16 => |value| Self::Int(value.into());
    u32 => |value| Self::Int(value.into());
    u64 => |value| Self::Int(value.into());
    Integer => |value| Self::Int(value);
    f32 => |value| Self::F64(value.into());
    f64 => |value| Self::F64(value);
    &str => |value| Self::Str(value.to_owned());
    String => |value| Self::Str(value);
    Bytes => |value| Self::Bin(value);
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nil, T::into)
    }
}

/// Bytes, as in Python: a `bin`. An array of numbers is made by `collect`.
impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bin(bytes.into())
    }
}

/// Copied.
impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bin(Bytes::copy_from_slice(bytes))
    }
}

/// Copied: `Value::from(b"bytes")`.
impl<const N: usize> From<&[u8; N]> for Value {
    fn from(bytes: &[u8; N]) -> Self {
        Self::from(bytes.as_slice())
    }
}

macro_rules! from_vec {
    ($($kind:ty)*) => {$(
        /// An array. Of items of other types: `items.into_iter().collect::<Value>()`.
        impl From<Vec<$kind>> for Value {
            fn from(items: Vec<$kind>) -> Self {
                items.into_iter().collect()
            }
        }
    )*};
}

from_vec!(bool i8 i16 i32 i64 u16 u32 u64 Integer f32 f64 &str String Bytes);

/// An array.
impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::Array(items)
    }
}

impl<T: Into<Value>> FromIterator<T> for Value {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self::Array(items.into_iter().map(T::into).collect())
    }
}

impl<K: Into<Value>, V: Into<Value>> FromIterator<(K, V)> for Value {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self::Map(pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}
