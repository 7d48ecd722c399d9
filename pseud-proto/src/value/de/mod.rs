//! Checked msgpack to serde.

mod args;
mod bind;
mod ext;
mod kwargs;
mod mismatch;

use super::EXT_STRUCT;
use crate::base::text::utf8;
use crate::value::de::ext::ExtAccess;
use crate::value::msgpack::head::{Head, HeadReader};
use serde::de::value::SeqDeserializer;
use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, IntoDeserializer, Unexpected, Visitor,
};
use std::fmt::Display;

pub(super) use crate::value::de::args::args;
pub(super) use crate::value::de::bind::bind;
pub(super) use crate::value::de::kwargs::kwargs;
pub use crate::value::de::mismatch::{BadArguments, Mismatch};

/// One value.
pub(super) fn value<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, Mismatch> {
    T::deserialize(&mut De::new(HeadReader { rest: bytes }))
}

/// The deserializer: `&mut` of it. It recurses as deep as the check allowed and no deeper.
struct De<'de> {
    reader: HeadReader<'de>,
    /// The bytes that were left where a value began that may not be passed over unread. `None` again
    /// once somebody wanted to.
    must_take: Option<usize>,
}

impl<'de> De<'de> {
    #[inline]
    fn new(reader: HeadReader<'de>) -> Self {
        Self { reader, must_take: None }
    }

    #[inline]
    fn head(&mut self) -> Result<Head<'de>, Mismatch> {
        Ok(self.reader.head()?)
    }

    /// The next head without taking it.
    fn peek(&self) -> Result<Head<'de>, Mismatch> {
        let mut ahead = self.reader;
        Ok(ahead.head()?)
    }

    #[inline]
    fn visit<V: Visitor<'de>>(
        &mut self,
        head: Head<'de>,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        match head {
            Head::Nil => visitor.visit_unit(),
            Head::Bool(value) => visitor.visit_bool(value),
            Head::Int(value) => match (value.as_u64(), value.as_i64()) {
                (Some(value), _) => visitor.visit_u64(value),
                (None, value) => visitor.visit_i64(value.unwrap_or_default()),
            },
            Head::F64(value) => visitor.visit_f64(value),
            Head::Str(text) => visitor.visit_borrowed_str(str(text)?),
            Head::Bin(bytes) => visitor.visit_borrowed_bytes(bytes),
            Head::Array(left) => self.items(left, |items| visitor.visit_seq(items)),
            Head::Map(left) => self.items(left, |items| visitor.visit_map(items)),
            Head::Ext(code, bytes) => {
                visitor.visit_newtype_struct(ExtAccess { code: Some(code), bytes })
            }
        }
    }

    /// Lends out the items of a container; those that were left lying are an error.
    fn items<T>(
        &mut self,
        left: u32,
        visit: impl FnOnce(&mut Items<'_, 'de>) -> Result<T, Mismatch>,
    ) -> Result<T, Mismatch> {
        let mut items = Items { de: self, left, value_next: false };
        let value = visit(&mut items)?;
        match (items.left, items.value_next) {
            (0, false) => Ok(value),
            (more, _) => Err(Mismatch(format!("{} items too many", more.max(1)))),
        }
    }
}

/// Where the next value of checked bytes begins, whatever a value's own `Deserialize` has read of the
/// one before: one that fails half-way, and whoever ignores that, or one that reads nothing at all.
impl<'de> De<'de> {
    #[inline]
    fn nested<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Mismatch> {
        let start = self.reader;
        let value = seed.deserialize(&mut *self);
        if value.is_err() || self.reader.rest.len() == start.rest.len() {
            self.reader = start;
            self.reader.skip()?;
        }
        value
    }
}

#[inline]
fn str(text: &[u8]) -> Result<&str, Mismatch> {
    utf8(text).ok_or_else(|| Mismatch("not UTF-8".to_owned()))
}

impl<'de> Deserializer<'de> for &mut De<'de> {
    type Error = Mismatch;

    /// As in the encoder: addresses, UUIDs and their like are text. The types that `untagged`, `tag`
    /// and `flatten` go through say so whatever is said here.
    fn is_human_readable(&self) -> bool {
        true
    }

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        let head = self.head()?;
        self.visit(head, visitor)
    }

    /// A str and nothing else: bytes are not text, though serde's String would take them.
    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        if let Some(text) = self.reader.short_str() {
            return visitor.visit_borrowed_str(str(text)?);
        }
        match self.head()? {
            Head::Bin(bytes) => Err(de::Error::invalid_type(Unexpected::Bytes(bytes), &visitor)),
            head => self.visit(head, visitor),
        }
    }

    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.deserialize_str(visitor)
    }

    /// Bytes and nothing else: text is not bytes.
    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.head()? {
            Head::Str(text) => Err(de::Error::invalid_type(Unexpected::Str(str(text)?), &visitor)),
            head => self.visit(head, visitor),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.deserialize_bytes(visitor)
    }

    /// An array; or bytes, which are numbers to whoever asks for a sequence: a `Vec<u8>` is either.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.head()? {
            Head::Bin(bytes) => numbers(bytes, visitor),
            head => self.visit(head, visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.reader.rest.first() {
            Some(0xc0) => {
                self.head()?;
                visitor.visit_none()
            }
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        match name {
            EXT_STRUCT => self.deserialize_any(visitor),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    /// A variant is its name, or a map of its name to its content.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        match self.peek()? {
            Head::Str(name) => {
                self.head()?;
                visitor.visit_enum(str(name)?.into_deserializer())
            }
            Head::Map(1) => {
                self.head()?;
                let mut read = false;
                let value = visitor.visit_enum(Variant { de: self, read: &mut read })?;
                match read {
                    true => Ok(value),
                    false => Err(Mismatch("a variant's content was not read".to_owned())),
                }
            }
            head => Err(Mismatch(format!("expected {}, found {}", Wanted(&visitor), head.kind()))),
        }
    }

    /// A field's name; bytes are taken for one, since Python 2 peers write names so.
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.head()? {
            Head::Str(name) | Head::Bin(name) => visitor.visit_borrowed_str(str(name)?),
            head => Err(Mismatch(format!("expected a name, found {}", head.kind()))),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        if self.must_take == Some(self.reader.rest.len()) {
            self.must_take = None;
            return Err(Mismatch("one argument too many".to_owned()));
        }
        self.reader.skip()?;
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 unit unit_struct
        tuple_struct map struct
    }
}

/// Bytes as a sequence of `u8`. Where that is not what was wanted, the error is about the bytes.
fn numbers<'de, V: Visitor<'de>>(bytes: &'de [u8], visitor: V) -> Result<V::Value, Mismatch> {
    let mismatch: Mismatch = de::Error::invalid_type(Unexpected::Bytes(bytes), &visitor);
    let mut items = SeqDeserializer::<_, Mismatch>::new(bytes.iter().copied());
    let value = visitor.visit_seq(&mut items).map_err(|_| mismatch)?;
    items.end()?;
    Ok(value)
}

/// Shows what a visitor expects.
struct Wanted<'a, V>(&'a V);

impl<'de, V: Visitor<'de>> Display for Wanted<'_, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.expecting(f)
    }
}

/// The rest of an array or a map.
struct Items<'a, 'de> {
    de: &'a mut De<'de>,
    left: u32,
    /// Of a map: a key was read, its value was not.
    value_next: bool,
}

impl Items<'_, '_> {
    /// Keys and values take turns.
    fn turn(&self, value: bool) -> Result<(), Mismatch> {
        match self.value_next == value {
            true => Ok(()),
            false => Err(out_of_turn()),
        }
    }
}

fn out_of_turn() -> Mismatch {
    Mismatch("a map is read a key and a value at a time".to_owned())
}

impl<'de> de::SeqAccess<'de> for &mut Items<'_, 'de> {
    type Error = Mismatch;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Mismatch> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        self.de.nested(seed).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left as usize)
    }
}

impl<'de> de::MapAccess<'de> for &mut Items<'_, 'de> {
    type Error = Mismatch;

    fn next_key_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Mismatch> {
        self.turn(false)?;
        let key = de::SeqAccess::next_element_seed(self, seed);
        self.value_next = !matches!(key, Ok(None));
        key
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Mismatch> {
        self.turn(true)?;
        self.value_next = false;
        self.de.nested(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left as usize)
    }
}

/// A map of one: a variant's name and its content.
struct Variant<'a, 'de> {
    de: &'a mut De<'de>,
    /// Whether its content was read.
    read: &'a mut bool,
}

impl<'a, 'de> Variant<'a, 'de> {
    fn content(self) -> &'a mut De<'de> {
        *self.read = true;
        self.de
    }
}

impl<'de> de::EnumAccess<'de> for Variant<'_, 'de> {
    type Error = Mismatch;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self), Mismatch> {
        Ok((seed.deserialize(&mut *self.de)?, self))
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'_, 'de> {
    type Error = Mismatch;

    fn unit_variant(self) -> Result<(), Mismatch> {
        <()>::deserialize(self.content())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Mismatch> {
        seed.deserialize(self.content())
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Mismatch> {
        self.content().deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.content().deserialize_any(visitor)
    }
}
