//! Arrays and maps in the making.

use crate::value::check::limits::DEPTH_CEILING;
use crate::value::msgpack::out::{Family, MAP, STR};
use crate::value::ser::encoder::{Encoder, length};
use crate::value::ser::error::{EncodeError, Failure};
use serde::ser::{self, Serialize};

/// An array or a map in the making.
pub(crate) struct Container<'e> {
    pub(super) encoder: &'e mut Encoder,
    pub(super) family: Family,
    pub(super) start: usize,
    pub(super) announced: u32,
    pub(super) written: u32,
    pub(super) levels: usize,
    pub(super) names: bool,
    /// Of a map: no key waits for its value.
    pub(super) paired: bool,
}

impl Encoder {
    #[inline]
    pub(super) fn open(
        &mut self,
        family: Family,
        len: Option<usize>,
    ) -> Result<Container<'_>, Failure> {
        if self.depth >= DEPTH_CEILING {
            return Err(EncodeError::Depth.into());
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

    #[inline]
    pub(super) fn map(&mut self, len: Option<usize>) -> Result<Container<'_>, Failure> {
        match self.in_key {
            true => Err(EncodeError::Key.into()),
            false => self.open(MAP, len),
        }
    }
}

impl Container<'_> {
    #[inline]
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failure> {
        let counted = self.written.checked_add(1).ok_or_else(|| EncodeError::TooLong.into());
        self.written = self.encoder.kept(counted)?;
        self.encoder.nested(value)
    }

    #[inline]
    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Failure> {
        self.turn(true)?;
        let (start, around) = (self.encoder.out.len(), self.encoder.in_key);
        self.encoder.in_key = true;
        self.item(key)?;
        self.encoder.in_key = around;
        match self.encoder.out.as_slice().get(start) {
            Some(&marker) if self.names && !STR.has(marker) => {
                self.encoder.kept(Err(EncodeError::Keyword.into()))
            }
            _ => Ok(()),
        }
    }

    #[inline]
    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failure> {
        self.turn(false)?;
        self.encoder.nested(value)
    }

    /// Keys and values take turns.
    #[inline]
    fn turn(&mut self, key: bool) -> Result<(), Failure> {
        let turn = if self.paired == key { Ok(()) } else { Err(EncodeError::Pairs.into()) };
        self.paired = !key;
        self.encoder.kept(turn)
    }

    #[inline]
    fn close(self) -> Result<(), Failure> {
        self.encoder.depth = self.encoder.depth.saturating_sub(self.levels);
        if !self.paired {
            return self.encoder.kept(Err(EncodeError::Pairs.into()));
        }
        if self.written == self.announced {
            return Ok(());
        }
        let (_, old) = self.family.head(self.announced);
        let (head, used) = self.family.head(self.written);
        self.encoder.out.replace(self.start, old, head.get(..used).unwrap_or_default());
        Ok(())
    }
}

/// serde has a trait for each kind of array; all of them are arrays of items here.
macro_rules! arrays {
    ($($kind:ident, $item:ident;)*) => {$(
        impl ser::$kind for Container<'_> {
            type Ok = ();
            type Error = Failure;

            #[inline]
            fn $item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failure> {
                self.item(value)
            }

            #[inline]
            fn end(self) -> Result<(), Failure> {
                self.close()
            }
        }
    )*};
}

/// The same of what has named fields.
macro_rules! structs {
    ($($kind:ident;)*) => {$(
        impl ser::$kind for Container<'_> {
            type Ok = ();
            type Error = Failure;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Failure> {
                self.key(name)?;
                self.value(value)
            }

            #[inline]
            fn end(self) -> Result<(), Failure> {
                self.close()
            }
        }
    )*};
}

arrays! {
    SerializeSeq, serialize_element;
    SerializeTuple, serialize_element;
    SerializeTupleStruct, serialize_field;
    SerializeTupleVariant, serialize_field;
}

structs! {
    SerializeStruct;
    SerializeStructVariant;
}

impl ser::SerializeMap for Container<'_> {
    type Ok = ();
    type Error = Failure;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Failure> {
        self.key(key)
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failure> {
        self.value(value)
    }

    #[inline]
    fn end(self) -> Result<(), Failure> {
        self.close()
    }
}
