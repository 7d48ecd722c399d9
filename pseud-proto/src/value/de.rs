//! Checked msgpack to serde, and the words that a caller is told where types do not fit.

use super::EXT_STRUCT;
use super::wire::{Head, NoHead, Reader};
use crate::error::Fault;
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, Expected, IntoDeserializer, Unexpected,
    Visitor,
};
use std::fmt::Display;

/// A well-formed body that is not of the type that was asked for.
///
/// It says what was expected and what kind of value was found, never the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Mismatch(String);

/// Arguments that do not fit the handler; where one of them is at fault, the text names it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadArguments(String);

/// What the caller is told: a `TypeError`, as Python raises.
impl From<BadArguments> for Fault {
    fn from(error: BadArguments) -> Self {
        Self::new("TypeError", error.0)
    }
}

impl From<Mismatch> for BadArguments {
    fn from(Mismatch(text): Mismatch) -> Self {
        Self(text)
    }
}

impl Mismatch {
    fn inside(self, place: impl Display) -> Self {
        Self(format!("{place}: {}", self.0))
    }
}

impl de::Error for Mismatch {
    fn custom<T: Display>(text: T) -> Self {
        Self(text.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(format!("expected {expected}, found {}", kind(found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(format!("expected {expected}, found {} that is out of range", kind(found)))
    }

    fn invalid_length(len: usize, expected: &dyn Expected) -> Self {
        Self(format!("expected {expected}, found {len} items"))
    }

    fn unknown_variant(_variant: &str, expected: &'static [&'static str]) -> Self {
        Self(format!("expected one of {}, found another name", expected.join(", ")))
    }

    fn unknown_field(field: &str, _expected: &'static [&'static str]) -> Self {
        Self(format!("unknown field {}", name_of(field)))
    }

    fn missing_field(field: &'static str) -> Self {
        Self(format!("{} is missing", name_of(field)))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self(format!("{} came twice", name_of(field)))
    }
}

/// Cannot happen on checked bytes; still an error and not a panic.
impl From<NoHead> for Mismatch {
    fn from(_: NoHead) -> Self {
        Self("not well-formed".to_owned())
    }
}

/// A name from a peer, fit for a log: escaped and cut.
fn name_of(name: &str) -> String {
    let shown: String = name.chars().take(64).flat_map(char::escape_debug).collect();
    format!("`{shown}`")
}

fn kind(found: Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "bool",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "int",
        Unexpected::Float(_) => "float",
        Unexpected::Char(_) | Unexpected::Str(_) => "str",
        Unexpected::Bytes(_) => "bytes",
        Unexpected::Unit | Unexpected::Option => "nil",
        Unexpected::NewtypeStruct => "ext",
        Unexpected::Seq => "array",
        Unexpected::Map => "map",
        _ => "another value",
    }
}

/// One value.
pub(super) fn value<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, Mismatch> {
    T::deserialize(&mut De { reader: Reader { rest: bytes } })
}

/// The array of arguments.
pub(super) fn args<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, BadArguments> {
    let mut reader = Reader { rest: bytes };
    match reader.head().map_err(Mismatch::from)? {
        Head::Array(given) => Ok(T::deserialize(Args { de: De { reader }, given, taken: 0 })?),
        head => Err(Mismatch(format!("expected arguments, found {}", head.kind())).into()),
    }
}

/// The map of keyword arguments.
pub(super) fn kwargs<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, BadArguments> {
    let mut reader = Reader { rest: bytes };
    match reader.head().map_err(Mismatch::from)? {
        Head::Map(left) => {
            Ok(T::deserialize(Kwargs { de: De { reader }, left, name: "", known: None })?)
        }
        head => Err(Mismatch(format!("expected keyword arguments, found {}", head.kind())).into()),
    }
}

/// The deserializer: `&mut` of it. It recurses as deep as the check allowed and no deeper.
struct De<'de> {
    reader: Reader<'de>,
}

impl<'de> De<'de> {
    fn head(&mut self) -> Result<Head<'de>, Mismatch> {
        Ok(self.reader.head()?)
    }

    /// The next head without taking it.
    fn peek(&self) -> Result<Head<'de>, Mismatch> {
        let mut ahead = self.reader;
        Ok(ahead.head()?)
    }

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
            Head::Ext(code, bytes) => visitor.visit_newtype_struct(Ext { code: Some(code), bytes }),
        }
    }

    /// Lends out the items of a container; those that were left lying are an error.
    fn items<T>(
        &mut self,
        left: u32,
        visit: impl FnOnce(&mut Items<'_, 'de>) -> Result<T, Mismatch>,
    ) -> Result<T, Mismatch> {
        let mut items = Items { de: self, left };
        let value = visit(&mut items)?;
        match items.left {
            0 => Ok(value),
            more => Err(Mismatch(format!("{more} items too many"))),
        }
    }
}

fn str(text: &[u8]) -> Result<&str, Mismatch> {
    std::str::from_utf8(text).map_err(|_| Mismatch("not UTF-8".to_owned()))
}

impl<'de> Deserializer<'de> for &mut De<'de> {
    type Error = Mismatch;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        let head = self.head()?;
        self.visit(head, visitor)
    }

    /// A str and nothing else: bytes are not text, though serde's String would take them.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.head()? {
            Head::Bin(bytes) => Err(de::Error::invalid_type(Unexpected::Bytes(bytes), &visitor)),
            head => self.visit(head, visitor),
        }
    }

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
                visitor.visit_enum(Variant { de: self })
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
        self.reader.skip()?;
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 unit unit_struct
        seq tuple tuple_struct map struct
    }
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
}

impl<'de> de::SeqAccess<'de> for &mut Items<'_, 'de> {
    type Error = Mismatch;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Mismatch> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        seed.deserialize(&mut *self.de).map(Some)
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
        de::SeqAccess::next_element_seed(self, seed)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Mismatch> {
        seed.deserialize(&mut *self.de)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left as usize)
    }
}

/// A map of one: a variant's name and its content.
struct Variant<'a, 'de> {
    de: &'a mut De<'de>,
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
        <()>::deserialize(self.de)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Mismatch> {
        seed.deserialize(self.de)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Mismatch> {
        self.de.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.de.deserialize_any(visitor)
    }
}

/// The pair inside an ext: its code, then its bytes.
struct Ext<'de> {
    code: Option<i8>,
    bytes: &'de [u8],
}

impl<'de> Deserializer<'de> for Ext<'de> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_seq(Pair { ext: self, over: false })
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

struct Pair<'de> {
    ext: Ext<'de>,
    over: bool,
}

impl<'de> de::SeqAccess<'de> for Pair<'de> {
    type Error = Mismatch;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Mismatch> {
        match (self.ext.code.take(), std::mem::replace(&mut self.over, false)) {
            (Some(code), _) => {
                self.over = true;
                seed.deserialize(code.into_deserializer()).map(Some)
            }
            (None, true) => {
                let bytes = de::value::BorrowedBytesDeserializer::new(self.ext.bytes);
                seed.deserialize(bytes).map(Some)
            }
            (None, false) => Ok(None),
        }
    }
}

/// The arguments as a whole: whatever takes things one behind the other.
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

    fn is_human_readable(&self) -> bool {
        false
    }

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
        let value = seed.deserialize(&mut self.de);
        value.map(Some).map_err(|cause| cause.inside(format_args!("argument {}", self.taken)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.given.saturating_sub(self.taken) as usize)
    }
}

/// The keyword arguments as a whole.
struct Kwargs<'de> {
    de: De<'de>,
    left: u32,
    /// The keyword whose value comes next.
    name: &'de str,
    /// What the handler takes, where it says so.
    known: Option<&'static [&'static str]>,
}

impl<'de> Kwargs<'de> {
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

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_map(&mut self)
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
        match self.left {
            0 => visitor.visit_unit(),
            _ => Err(unexpected(self.name()?)),
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
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        self.name = self.name()?;
        match self.known {
            Some(known) if !known.contains(&self.name) => Err(unexpected(self.name)),
            _ => seed.deserialize(BorrowedStrDeserializer::new(self.name)).map(Some),
        }
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Mismatch> {
        seed.deserialize(&mut self.de)
            .map_err(|cause| cause.inside(format_args!("keyword argument {}", name_of(self.name))))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left as usize)
    }
}
