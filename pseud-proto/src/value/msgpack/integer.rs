//! What msgpack calls an integer: anything from `i64::MIN` to `u64::MAX`.

use std::fmt;

/// An integer between `i64::MIN` and `u64::MAX`, the range of msgpack.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Integer(Repr);

/// Never negative in the second arm: one value has one form.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Repr {
    Negative(i64),
    Unsigned(u64),
}

impl Integer {
    /// It, where it fits.
    pub fn as_i64(self) -> Option<i64> {
        match self.0 {
            Repr::Negative(value) => Some(value),
            Repr::Unsigned(value) => i64::try_from(value).ok(),
        }
    }

    /// It, where it fits.
    pub fn as_u64(self) -> Option<u64> {
        match self.0 {
            Repr::Negative(_) => None,
            Repr::Unsigned(value) => Some(value),
        }
    }

    /// It, always.
    pub fn as_i128(self) -> i128 {
        match self.0 {
            Repr::Negative(value) => i128::from(value),
            Repr::Unsigned(value) => i128::from(value),
        }
    }
}

impl PartialOrd for Integer {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Integer {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_i128().cmp(&other.as_i128())
    }
}

macro_rules! from_signed {
    ($($kind:ty)*) => {$(
        impl From<$kind> for Integer {
            #[inline]
            fn from(value: $kind) -> Self {
                match u64::try_from(value) {
                    Ok(value) => Self(Repr::Unsigned(value)),
                    Err(_) => Self(Repr::Negative(i64::from(value))),
                }
            }
        }
    )*};
}

macro_rules! from_unsigned {
    ($($kind:ty)*) => {$(
        impl From<$kind> for Integer {
            #[inline]
            fn from(value: $kind) -> Self {
                Self(Repr::Unsigned(u64::from(value)))
            }
        }
    )*};
}

from_signed!(i8 i16 i32 i64);
from_unsigned!(u8 u16 u32 u64);

impl TryFrom<i128> for Integer {
    type Error = std::num::TryFromIntError;

    fn try_from(value: i128) -> Result<Self, Self::Error> {
        match u64::try_from(value) {
            Ok(value) => Ok(Self::from(value)),
            Err(_) => i64::try_from(value).map(Self::from),
        }
    }
}

impl fmt::Display for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_i128().fmt(f)
    }
}

impl fmt::Debug for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
