//! The pair inside an ext: its code, then its bytes, and nothing else.

use crate::value::ser::encoder::Encoder;
use crate::value::ser::error::{EncodeError, Failure};
use serde::ser::{self, Impossible, Serialize, Serializer};

/// An ext in the making. It takes `(i8, bytes)`; whatever else is written here is refused, and so is
/// what ends before both were there.
pub(super) struct ExtPairSerializer<'e> {
    encoder: &'e mut Encoder,
    next: NextPart,
}

/// What the pair waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NextPart {
    Tuple,
    Code,
    Bytes(i8),
    Nothing,
}

impl<'e> ExtPairSerializer<'e> {
    pub(super) fn new(encoder: &'e mut Encoder) -> Self {
        Self { encoder, next: NextPart::Tuple }
    }

    pub(super) fn end(self) -> Result<(), Failure> {
        match self.next {
            NextPart::Nothing => Ok(()),
            _ => self.encoder.kept(Err(EncodeError::Ext.into())),
        }
    }

    /// Takes a step, if it is the one that comes now.
    fn step(&mut self, now: bool, next: NextPart) -> Result<(), Failure> {
        self.next = next;
        self.encoder.kept(if now { Ok(()) } else { Err(EncodeError::Ext.into()) })
    }
}

macro_rules! refuse {
    ($($method:ident($($kind:ty),*);)*) => {$(
        fn $method(self, $(_: $kind),*) -> Result<(), Failure> {
            Err(EncodeError::Ext.into())
        }
    )*};
}

macro_rules! refuse_containers {
    ($($method:ident($($kind:ty),*) -> $container:ident;)*) => {$(
        fn $method(self, $(_: $kind),*) -> Result<Self::$container, Failure> {
            Err(EncodeError::Ext.into())
        }
    )*};
}

impl<'p, 'e> Serializer for &'p mut ExtPairSerializer<'e> {
    type Ok = ();
    type Error = Failure;
    type SerializeTuple = Self;
    type SerializeSeq = Impossible<(), Failure>;
    type SerializeTupleStruct = Impossible<(), Failure>;
    type SerializeTupleVariant = Impossible<(), Failure>;
    type SerializeMap = Impossible<(), Failure>;
    type SerializeStruct = Impossible<(), Failure>;
    type SerializeStructVariant = Impossible<(), Failure>;

    fn serialize_tuple(self, len: usize) -> Result<Self, Failure> {
        self.step(self.next == NextPart::Tuple && len == 2, NextPart::Code)?;
        Ok(self)
    }

    fn serialize_i8(self, code: i8) -> Result<(), Failure> {
        self.step(self.next == NextPart::Code, NextPart::Bytes(code))
    }

    fn serialize_bytes(self, payload: &[u8]) -> Result<(), Failure> {
        match std::mem::replace(&mut self.next, NextPart::Nothing) {
            NextPart::Bytes(code) => self.encoder.write_ext(code, payload),
            _ => Err(EncodeError::Ext.into()),
        }
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<(), Failure> {
        Err(EncodeError::Ext.into())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: &T,
    ) -> Result<(), Failure> {
        Err(EncodeError::Ext.into())
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Failure> {
        Err(EncodeError::Ext.into())
    }

    refuse! {
        serialize_bool(bool);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_f32(f32);
        serialize_f64(f64);
        serialize_char(char);
        serialize_str(&str);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
    }

    refuse_containers! {
        serialize_seq(Option<usize>) -> SerializeSeq;
        serialize_map(Option<usize>) -> SerializeMap;
        serialize_tuple_struct(&'static str, usize) -> SerializeTupleStruct;
        serialize_struct(&'static str, usize) -> SerializeStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> SerializeTupleVariant;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> SerializeStructVariant;
    }
}

impl ser::SerializeTuple for &mut ExtPairSerializer<'_> {
    type Ok = ();
    type Error = Failure;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failure> {
        let written = value.serialize(&mut **self);
        self.encoder.kept(written)
    }

    fn end(self) -> Result<(), Failure> {
        Ok(())
    }
}
