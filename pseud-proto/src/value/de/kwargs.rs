//! The keyword arguments as a whole.

use super::{BadArguments, De, Mismatch, out_of_turn, str};
use crate::value::de::mismatch::name_of;
use crate::value::msgpack::head::{Head, HeadReader};
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, Visitor};

/// The map of keyword arguments.
pub(crate) fn kwargs<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, BadArguments> {
    Ok(T::deserialize(Kwargs::read(bytes)?)?)
}

/// Names and values, read one pair at a time.
pub(super) struct Kwargs<'de> {
    de: De<'de>,
    left: u32,
    /// The keyword whose value comes next, if it was read.
    name: Option<&'de str>,
    /// What the handler takes, where it says so.
    pub(super) known: Option<&'static [&'static str]>,
}

impl<'de> Kwargs<'de> {
    pub(super) fn read(bytes: &'de [u8]) -> Result<Self, Mismatch> {
        let mut reader = HeadReader { rest: bytes };
        match reader.head()? {
            Head::Map(left) => Ok(Self { de: De::new(reader), left, name: None, known: None }),
            head => Err(Mismatch(format!("expected keyword arguments, found {}", head.kind()))),
        }
    }

    /// There are no more of them.
    pub(super) fn none(&mut self) -> Result<(), Mismatch> {
        match self.left {
            0 => Ok(()),
            _ => Err(unexpected(self.name()?)),
        }
    }

    fn name(&mut self) -> Result<&'de str, Mismatch> {
        match self.de.head()? {
            Head::Str(name) | Head::Bin(name) => str(name),
            head => Err(Mismatch(format!("a keyword must be a str, not {}", head.kind()))),
        }
    }
}

fn unexpected(name: &str) -> Mismatch {
    Mismatch(format!("unexpected keyword argument {}", name_of(name)))
}

impl<'de> Deserializer<'de> for Kwargs<'de> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Mismatch> {
        let value = visitor.visit_map(&mut self)?;
        self.none()?;
        Ok(value)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        mut self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.known = Some(fields);
        self.deserialize_any(visitor)
    }

    fn deserialize_unit<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Mismatch> {
        self.none()?;
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        seq tuple tuple_struct map enum identifier
    }
}

impl<'de> de::MapAccess<'de> for &mut Kwargs<'de> {
    type Error = Mismatch;

    fn next_key_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Mismatch> {
        if self.name.is_some() {
            return Err(out_of_turn());
        }
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        let name = self.name()?;
        self.name = Some(name);
        match self.known {
            Some(known) if !known.contains(&name) => Err(unexpected(name)),
            _ => seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some),
        }
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Mismatch> {
        let name = self.name.take().ok_or_else(out_of_turn)?;
        self.de
            .nested(seed)
            .map_err(|cause| cause.inside(format_args!("keyword argument {}", name_of(name))))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left as usize)
    }
}
