//! Ext types of one's own in typed places.

use super::EXT_STRUCT;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_bytes::ByteBuf;
use std::fmt;

/// An ext of one code, in typed places.
///
/// A type of one's own travels as one by `#[serde(from = "Ext<5>", into = "Ext<5>")]`, or
/// `try_from` where bytes can be wrong. Codes are 0 to 127; others do not encode.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
#[doc(alias = "translation_table")]
#[doc(alias = "register_ext_handler")]
pub struct Ext<const CODE: i8>(
    /// What it holds.
    pub Vec<u8>,
);

impl<const CODE: i8> fmt::Debug for Ext<CODE> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ext<{CODE}>({} bytes)", self.0.len())
    }
}

impl<const CODE: i8> Serialize for Ext<CODE> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let pair = (CODE, serde_bytes::Bytes::new(&self.0));
        serializer.serialize_newtype_struct(EXT_STRUCT, &pair)
    }
}

impl<'de, const CODE: i8> Deserialize<'de> for Ext<CODE> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(EXT_STRUCT, OneCode)
    }
}

struct OneCode<const CODE: i8>;

impl<'de, const CODE: i8> Visitor<'de> for OneCode<CODE> {
    type Value = Ext<CODE>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an ext of code {CODE}")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, pair: D) -> Result<Ext<CODE>, D::Error> {
        match <(i8, ByteBuf)>::deserialize(pair)? {
            (code, bytes) if code == CODE => Ok(Ext(bytes.into_vec())),
            (code, _) => {
                Err(D::Error::custom(format_args!("expected an ext of code {CODE}, found {code}")))
            }
        }
    }
}
