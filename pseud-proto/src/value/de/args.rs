//! The arguments as a whole.

use super::{BadArguments, De, Mismatch};
use crate::value::wire::{Head, Reader};
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, Visitor};

/// The array of arguments.
pub(in crate::value) fn args<'de, T: Deserialize<'de>>(
    bytes: &'de [u8],
) -> Result<T, BadArguments> {
    let mut reader = Reader { rest: bytes };
    match reader.head().map_err(Mismatch::from)? {
        Head::Array(given) => Ok(T::deserialize(Args { de: De { reader }, given, taken: 0 })?),
        head => Err(Mismatch(format!("expected arguments, found {}", head.kind())).into()),
    }
}

/// Whatever takes things one behind the other.
struct Args<'de> {
    de: De<'de>,
    given: u32,
    taken: u32,
}

impl<'de> Args<'de> {
    /// Counts before anything is decoded, so that the text is about the number.
    fn exactly<V: Visitor<'de>>(self, wanted: usize, visitor: V) -> Result<V::Value, Mismatch> {
        match usize::try_from(self.given) {
            Ok(given) if given == wanted => self.deserialize_any(visitor),
            _ => Err(Mismatch(format!("{}, {} given", takes(wanted), self.given))),
        }
    }
}

fn takes(wanted: usize) -> String {
    match wanted {
        1 => "1 argument expected".to_owned(),
        _ => format!("{wanted} arguments expected"),
    }
}

impl<'de> Deserializer<'de> for Args<'de> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Mismatch> {
        let value = visitor.visit_seq(&mut self)?;
        match self.taken == self.given {
            true => Ok(value),
            false => Err(Mismatch(format!(
                "at most {}, {} given",
                takes(self.taken as usize),
                self.given
            ))),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.given {
            0 => visitor.visit_unit(),
            given => Err(Mismatch(format!("no arguments expected, {given} given"))),
        }
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

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.exactly(len, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.exactly(len, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        seq map struct enum identifier
    }
}

impl<'de> de::SeqAccess<'de> for &mut Args<'de> {
    type Error = Mismatch;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Mismatch> {
        if self.taken >= self.given {
            return Ok(None);
        }
        self.taken += 1;
        let value = self.de.nested(seed);
        value.map(Some).map_err(|cause| cause.inside(format_args!("argument {}", self.taken)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.given.saturating_sub(self.taken) as usize)
    }
}
