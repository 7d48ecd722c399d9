//! serde's methods.

use crate::value::EXT_STRUCT;
use crate::value::msgpack::integer::Integer;
use crate::value::msgpack::out::ARRAY;
use crate::value::ser::container::Container;
use crate::value::ser::encoder::{Encoder, length};
use crate::value::ser::error::{EncodeError, Failure};
use crate::value::ser::ext::ExtPairSerializer;
use serde::ser::{Serialize, Serializer};

impl Encoder {
    /// A variant with content: a map of its name to that, which is `more` values besides those parts of
    /// it that are serialized.
    fn variant(&mut self, name: &'static str, more: u32) -> Result<(), Failure> {
        self.found.size.nodes = self.found.size.nodes.saturating_add(more);
        self.map(Some(1))?.written = 1;
        self.serialize_str(name)
    }
}

impl<'e> Serializer for &'e mut Encoder {
    type Ok = ();
    type Error = Failure;
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

    #[inline]
    fn serialize_bool(self, value: bool) -> Result<(), Failure> {
        self.out.put(&[0xc2 | u8::from(value)]);
        Ok(())
    }

    #[inline]
    fn serialize_i8(self, value: i8) -> Result<(), Failure> {
        self.serialize_i64(value.into())
    }

    #[inline]
    fn serialize_i16(self, value: i16) -> Result<(), Failure> {
        self.serialize_i64(value.into())
    }

    #[inline]
    fn serialize_i32(self, value: i32) -> Result<(), Failure> {
        self.serialize_i64(value.into())
    }

    #[inline]
    fn serialize_i64(self, value: i64) -> Result<(), Failure> {
        self.out.int(value.into());
        Ok(())
    }

    fn serialize_i128(self, value: i128) -> Result<(), Failure> {
        self.out.int(Integer::try_from(value).map_err(|_| EncodeError::Integer)?);
        Ok(())
    }

    #[inline]
    fn serialize_u8(self, value: u8) -> Result<(), Failure> {
        self.serialize_u64(value.into())
    }

    #[inline]
    fn serialize_u16(self, value: u16) -> Result<(), Failure> {
        self.serialize_u64(value.into())
    }

    #[inline]
    fn serialize_u32(self, value: u32) -> Result<(), Failure> {
        self.serialize_u64(value.into())
    }

    #[inline]
    fn serialize_u64(self, value: u64) -> Result<(), Failure> {
        self.out.unsigned(value);
        Ok(())
    }

    fn serialize_u128(self, value: u128) -> Result<(), Failure> {
        self.serialize_u64(u64::try_from(value).map_err(|_| EncodeError::Integer)?)
    }

    #[inline]
    fn serialize_f32(self, value: f32) -> Result<(), Failure> {
        self.serialize_f64(value.into())
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Result<(), Failure> {
        self.out.f64(value);
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), Failure> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<(), Failure> {
        self.out.str(value, length(value.len())?);
        Ok(())
    }

    #[inline]
    fn serialize_bytes(self, value: &[u8]) -> Result<(), Failure> {
        self.out.bin(value, length(value.len())?);
        Ok(())
    }

    #[inline]
    fn serialize_none(self) -> Result<(), Failure> {
        self.out.put(&[0xc0]);
        self.unit = false;
        Ok(())
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Failure> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_unit(self) -> Result<(), Failure> {
        self.out.put(&[0xc0]);
        self.unit = true;
        Ok(())
    }

    #[inline]
    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Failure> {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), Failure> {
        self.serialize_str(variant)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Failure> {
        if name != EXT_STRUCT {
            return value.serialize(self);
        }
        let mut pair = ExtPairSerializer::new(self);
        value.serialize(&mut pair)?;
        pair.end()
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Failure> {
        self.variant(variant, 1)?;
        self.nested(value)?;
        self.depth = self.depth.saturating_sub(1);
        Ok(())
    }

    #[inline]
    fn serialize_seq(self, len: Option<usize>) -> Result<Container<'e>, Failure> {
        self.open(ARRAY, len)
    }

    #[inline]
    fn serialize_tuple(self, len: usize) -> Result<Container<'e>, Failure> {
        self.open(ARRAY, Some(len))
    }

    #[inline]
    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        len: usize,
    ) -> Result<Container<'e>, Failure> {
        self.open(ARRAY, Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Container<'e>, Failure> {
        self.variant(variant, 2)?;
        let mut array = self.open(ARRAY, Some(len))?;
        array.levels = 2;
        Ok(array)
    }

    #[inline]
    fn serialize_map(self, len: Option<usize>) -> Result<Container<'e>, Failure> {
        self.map(len)
    }

    #[inline]
    fn serialize_struct(self, _name: &'static str, len: usize) -> Result<Container<'e>, Failure> {
        self.map(Some(len))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Container<'e>, Failure> {
        self.variant(variant, 2)?;
        let mut map = self.map(Some(len))?;
        map.levels = 2;
        Ok(map)
    }
}
