//! Arrays and maps in the making.

use crate::value::check::limits::DEPTH_CEILING;
use crate::value::msgpack::out::{Family, MAP, STR};
use crate::value::ser::encoder::{Encoder, length};
use crate::value::ser::error::EncodeError;
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
    pub(super) fn open(
        &mut self,
        family: Family,
        len: Option<usize>,
    ) -> Result<Container<'_>, EncodeError> {
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

    pub(super) fn map(&mut self, len: Option<usize>) -> Result<Container<'_>, EncodeError> {
        match self.in_key {
            true => Err(EncodeError::Key),
            false => self.open(MAP, len),
        }
    }
}

impl Container<'_> {
    #[inline]
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        let counted = self.written.checked_add(1).ok_or(EncodeError::TooLong);
        self.written = self.encoder.kept(counted)?;
        self.encoder.nested(value)
    }

    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), EncodeError> {
        self.turn(true)?;
        let (start, around) = (self.encoder.out.len(), self.encoder.in_key);
        self.encoder.in_key = true;
        self.item(key)?;
        self.encoder.in_key = around;
        match self.encoder.out.as_slice().get(start) {
            Some(&marker) if self.names && !STR.has(marker) => {
                self.encoder.kept(Err(EncodeError::Keyword))
            }
            _ => Ok(()),
        }
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.turn(false)?;
        self.encoder.nested(value)
    }

    /// Keys and values take turns.
    fn turn(&mut self, key: bool) -> Result<(), EncodeError> {
        let turn = if self.paired == key { Ok(()) } else { Err(EncodeError::Pairs) };
        self.paired = !key;
        self.encoder.kept(turn)
    }

    fn close(self) -> Result<(), EncodeError> {
        self.encoder.depth = self.encoder.depth.saturating_sub(self.levels);
        if !self.paired {
            return self.encoder.kept(Err(EncodeError::Pairs));
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

impl ser::SerializeSeq for Container<'_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.item(value)
    }

    fn end(self) -> Result<(), EncodeError> {
        self.close()
    }
}

impl ser::SerializeTupleStruct for Container<'_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.item(value)
    }

    fn end(self) -> Result<(), EncodeError> {
        self.close()
    }
}

impl ser::SerializeTupleVariant for Container<'_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.item(value)
    }

    fn end(self) -> Result<(), EncodeError> {
        self.close()
    }
}

impl ser::SerializeMap for Container<'_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), EncodeError> {
        self.key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.value(value)
    }

    fn end(self) -> Result<(), EncodeError> {
        self.close()
    }
}

impl ser::SerializeStruct for Container<'_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        self.key(name)?;
        self.value(value)
    }

    fn end(self) -> Result<(), EncodeError> {
        self.close()
    }
}

impl ser::SerializeStructVariant for Container<'_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        ser::SerializeStruct::serialize_field(self, name, value)
    }

    fn end(self) -> Result<(), EncodeError> {
        self.close()
    }
}

impl ser::SerializeTuple for Container<'_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.item(value)
    }

    fn end(self) -> Result<(), EncodeError> {
        self.close()
    }
}
