//! Ext types of one's own: Python's `translation_table`.

use super::EXT_STRUCT;
use crate::value::check::limits::ValueLimits;
use crate::value::check::{BadValue, Check, Root};
use crate::value::datetime::OutOfRange;
use crate::value::dynamic::decode::Decoder;
use crate::value::dynamic::value::Value;
use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_bytes::ByteBuf;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;

/// How one ext becomes a value.
pub type DecodeExt = fn(ExtPayload<'_>) -> Result<Value, BadExt>;

/// An ext whose decoder refuses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a bad ext")]
pub struct BadExt;

/// Decoders by ext code, merged over the defaults (dates at 123 to 126): what
/// `translation_table={code: (class, pack, unpack)}` is in Python. Both peers need the same one.
///
/// It serves dynamic values. A type of one's own is an [`Ext`] inside, for serde.
#[derive(Debug, Clone, Default)]
pub struct ExtTable {
    decoders: BTreeMap<i8, DecodeExt>,
}

impl ExtTable {
    /// The defaults alone.
    pub fn new() -> Self {
        Self::default()
    }

    /// Decodes exts of that code, 0 to 127, by that function; one that was there is replaced.
    pub fn register(&mut self, code: i8, decode: DecodeExt) -> Result<&mut Self, OutOfRange> {
        if code < 0 {
            return Err(OutOfRange("ext code"));
        }
        self.decoders.insert(code, decode);
        Ok(self)
    }

    pub(super) fn decoder(&self, code: i8) -> Option<DecodeExt> {
        self.decoders.get(&code).copied()
    }
}

/// What an ext holds, for its decoder.
#[derive(Clone, Copy)]
pub struct ExtPayload<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) budget: Budget<'a>,
}

/// What is left for values inside exts: they may not be deeper, or more, than without the exts.
#[derive(Clone, Copy)]
pub(crate) struct Budget<'a> {
    pub(super) table: &'a ExtTable,
    pub(super) depth_left: u32,
    pub(super) nodes_left: &'a Cell<u32>,
}

impl<'a> ExtPayload<'a> {
    /// Its bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The one value that it holds as msgpack. Its depth counts on top of the containers and exts
    /// around it, so exts inside exts end where containers would.
    pub fn value(&self) -> Result<Value, BadExt> {
        let Budget { table, depth_left, nodes_left } = self.budget;
        let depth_left = depth_left.checked_sub(1).ok_or(BadExt)?;
        let limits = ValueLimits {
            depth_max: depth_left,
            nodes_max: nodes_left.get(),
            ext_bytes_max: self.bytes.len(),
        };
        let mut check = Check::new(self.bytes, &limits);
        check.value(Root::Any).and_then(|()| check.end()).map_err(|_: BadValue| BadExt)?;
        nodes_left.set(check.nodes_left());
        let owner = Bytes::copy_from_slice(self.bytes);
        let budget = Budget { table, depth_left, nodes_left };
        Decoder::new(&owner, 0, Some(budget)).value().map_err(|_| BadExt)
    }
}

impl fmt::Debug for ExtPayload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExtPayload({} bytes)", self.bytes.len())
    }
}

/// An ext of one code, in typed places.
///
/// A type of one's own travels as one by `#[serde(from = "Ext<5>", into = "Ext<5>")]`, or
/// `try_from` where bytes can be wrong. Codes are 0 to 127; others do not encode.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
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
