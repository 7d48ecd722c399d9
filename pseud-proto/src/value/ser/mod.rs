//! serde to msgpack, as Python's packer writes it.
//!
//! Smallest integers, 64-bit floats, structs as maps by field name, variants as a str or a map of
//! one. The depth of what is written is bounded as the check bounds what is read.

mod container;
mod error;
mod ext;

use super::EXT_STRUCT;
use super::Integer;
use crate::value::check::limits::DEPTH_CEILING;
use crate::value::check::{Check, Found, Root};
use crate::value::msgpack::out::{ARRAY, Family, MAP, Out};
use crate::value::ser::container::Container;
use crate::value::ser::ext::Pair;
use bytes::Bytes;
use serde::ser::{Serialize, Serializer};

pub use crate::value::ser::error::EncodeError;

/// One value, and what is in it.
pub(super) fn value<T: Serialize + ?Sized>(value: &T) -> Result<(Bytes, Found), EncodeError> {
    let mut encoder = Encoder::new();
    encoder.nested(value)?;
    encoder.finish(&[Root::Any])
}

/// Arguments and keyword arguments, and what is in them.
pub(super) fn call<A, K>(args: &A, kwargs: &K) -> Result<(Bytes, Found), EncodeError>
where
    A: Serialize + ?Sized,
    K: Serialize + ?Sized,
{
    let mut encoder = Encoder::new();
    encoder.nested(args)?;
    encoder.root(0, ARRAY, EncodeError::NotArguments)?;
    let border = encoder.out.len();
    encoder.keywords = true;
    encoder.nested(kwargs)?;
    encoder.root(border, MAP, EncodeError::NotKeywords)?;
    encoder.finish(&[Root::Arguments, Root::Keywords])
}

/// The serializer: `&mut` of it.
///
/// A value's own `Serialize` is not trusted. What it leaves behind where one of its parts has failed
/// is no value, so the first error is kept and is what encoding ends with, whoever ignores it.
///
/// All else is one whole value: serde gives a `Serialize` one serializer, which one call of a method
/// uses up, and nothing but such a call makes the `Ok` that it returns. Counts and pairs are judged where
/// a container ends, and a panic that is caught on its way leaves a part [open](Self::open). So what was
/// written need not be walked over; builds with debug assertions do, and compare.
pub(super) struct Encoder {
    out: Out,
    depth: usize,
    in_key: bool,
    /// The next map at the root has names for keys.
    keywords: bool,
    /// The last thing written was `()`.
    unit: bool,
    /// The first error.
    failed: Option<EncodeError>,
    /// Parts that are begun and not written to their end.
    unfinished: u32,
    /// What is in it so far.
    found: Found,
}

impl Encoder {
    fn new() -> Self {
        Self {
            out: Out::new(),
            depth: 0,
            in_key: false,
            keywords: false,
            unit: false,
            failed: None,
            unfinished: 0,
            found: Found::default(),
        }
    }

    /// Writes a part of the value.
    #[inline]
    fn nested<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.found.size.nodes = self.found.size.nodes.saturating_add(1);
        self.unfinished = self.unfinished.saturating_add(1);
        let written = value.serialize(&mut *self);
        self.unfinished = self.unfinished.saturating_sub(1);
        self.kept(written)
    }

    /// Remembers that it failed; the error is the first one.
    #[inline]
    fn kept<T>(&mut self, result: Result<T, EncodeError>) -> Result<T, EncodeError> {
        result.map_err(|error| self.failed.get_or_insert(error).clone())
    }

    /// What was written, which is those values one behind the other.
    #[inline]
    fn finish(&mut self, roots: &[Root]) -> Result<(Bytes, Found), EncodeError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        if self.unfinished != 0 {
            return Err(EncodeError::Unfinished);
        }
        debug_assert!(self.is_sound(roots), "{roots:?} {:?}", self.found);
        Ok((self.out.take_bytes(), self.found))
    }

    /// Whether the check of peers' bodies finds the same in it.
    fn is_sound(&self, roots: &[Root]) -> bool {
        let mut check = Check::of_own(self.out.as_slice());
        let values = roots.iter().try_for_each(|root| check.value(*root));
        values.and_then(|()| check.end()).is_ok() && check.found() == self.found
    }

    /// The value at `start` has to be of that family; `()` is its empty form.
    fn root(
        &mut self,
        start: usize,
        family: Family,
        refusal: EncodeError,
    ) -> Result<(), EncodeError> {
        match self.out.as_slice().get(start) {
            Some(0xc0) if self.unit => {
                self.out.set(start, family.empty());
                self.found.size.depth = self.found.size.depth.max(1);
                Ok(())
            }
            Some(&marker) if family.has(marker) => Ok(()),
            _ => Err(refusal),
        }
    }

    fn open(&mut self, family: Family, len: Option<usize>) -> Result<Container<'_>, EncodeError> {
        if self.depth >= DEPTH_CEILING {
            return Err(EncodeError::Depth);
        }
        let announced = length(len.unwrap_or_default())?;
        let names = self.keywords && self.depth == 0;
        let start = self.out.len();
        self.out.head(family, announced);
        self.depth += 1;
        self.found.size.depth = self.found.size.depth.max(self.depth as u32);
        let (written, levels, paired) = (0, 1, true);
        Ok(Container { encoder: self, family, start, announced, written, levels, names, paired })
    }

    fn map(&mut self, len: Option<usize>) -> Result<Container<'_>, EncodeError> {
        match self.in_key {
            true => Err(EncodeError::Key),
            false => self.open(MAP, len),
        }
    }

    /// A variant with content: a map of its name to that, which is `more` values besides those parts of
    /// it that are serialized.
    fn variant(&mut self, name: &'static str, more: u32) -> Result<(), EncodeError> {
        self.found.size.nodes = self.found.size.nodes.saturating_add(more);
        self.map(Some(1))?.written = 1;
        self.serialize_str(name)
    }

    fn write_ext(&mut self, code: i8, payload: &[u8]) -> Result<(), EncodeError> {
        if code < 0 {
            return Err(EncodeError::Ext);
        }
        self.found.ext(code, payload).map_err(|_| EncodeError::Ext)?;
        self.out.ext(code, payload, length(payload.len())?);
        Ok(())
    }
}

fn length(len: usize) -> Result<u32, EncodeError> {
    u32::try_from(len).map_err(|_| EncodeError::TooLong)
}

impl<'e> Serializer for &'e mut Encoder {
    type Ok = ();
    type Error = EncodeError;
    type SerializeSeq = Container<'e>;
    type SerializeTuple = Container<'e>;
    type SerializeTupleStruct = Container<'e>;
    type SerializeTupleVariant = Container<'e>;
    type SerializeMap = Container<'e>;
    type SerializeStruct = Container<'e>;
    type SerializeStructVariant = Container<'e>;

    /// Addresses, UUIDs and their like are text, as they are in Python programs' bodies; and the
    /// types that `untagged`, `tag` and `flatten` go through say so whatever is said here.
    fn is_human_readable(&self) -> bool {
        true
    }

    fn serialize_bool(self, value: bool) -> Result<(), EncodeError> {
        self.out.put(&[0xc2 | u8::from(value)]);
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Result<(), EncodeError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), EncodeError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), EncodeError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<(), EncodeError> {
        self.out.int(value.into());
        Ok(())
    }

    fn serialize_i128(self, value: i128) -> Result<(), EncodeError> {
        self.out.int(Integer::try_from(value).map_err(|_| EncodeError::Integer)?);
        Ok(())
    }

    fn serialize_u8(self, value: u8) -> Result<(), EncodeError> {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), EncodeError> {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), EncodeError> {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<(), EncodeError> {
        self.out.unsigned(value);
        Ok(())
    }

    fn serialize_u128(self, value: u128) -> Result<(), EncodeError> {
        self.serialize_u64(u64::try_from(value).map_err(|_| EncodeError::Integer)?)
    }

    fn serialize_f32(self, value: f32) -> Result<(), EncodeError> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<(), EncodeError> {
        self.out.f64(value);
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), EncodeError> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), EncodeError> {
        self.out.str(value, length(value.len())?);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), EncodeError> {
        self.out.bin(value, length(value.len())?);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), EncodeError> {
        self.out.put(&[0xc0]);
        self.unit = false;
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), EncodeError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), EncodeError> {
        self.out.put(&[0xc0]);
        self.unit = true;
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), EncodeError> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), EncodeError> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        if name != EXT_STRUCT {
            return value.serialize(self);
        }
        let mut pair = Pair::new(self);
        value.serialize(&mut pair)?;
        pair.end()
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        self.variant(variant, 1)?;
        self.nested(value)?;
        self.depth = self.depth.saturating_sub(1);
        Ok(())
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Container<'e>, EncodeError> {
        self.open(ARRAY, len)
    }

    fn serialize_tuple(self, len: usize) -> Result<Container<'e>, EncodeError> {
        self.open(ARRAY, Some(len))
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        len: usize,
    ) -> Result<Container<'e>, EncodeError> {
        self.open(ARRAY, Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Container<'e>, EncodeError> {
        self.variant(variant, 2)?;
        let mut array = self.open(ARRAY, Some(len))?;
        array.levels = 2;
        Ok(array)
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Container<'e>, EncodeError> {
        self.map(len)
    }

    fn serialize_struct(
        self,
        _name: &'static str,
        len: usize,
    ) -> Result<Container<'e>, EncodeError> {
        self.map(Some(len))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Container<'e>, EncodeError> {
        self.variant(variant, 2)?;
        let mut map = self.map(Some(len))?;
        map.levels = 2;
        Ok(map)
    }
}
