//! The pair inside an ext.

use super::Mismatch;
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, Visitor};

/// Its code, then its bytes.
pub(super) struct ExtAccess<'de> {
    pub(super) code: Option<i8>,
    pub(super) bytes: &'de [u8],
}

impl<'de> Deserializer<'de> for ExtAccess<'de> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_seq(ExtPairAccess { ext: self, over: false })
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

struct ExtPairAccess<'de> {
    ext: ExtAccess<'de>,
    over: bool,
}

impl<'de> de::SeqAccess<'de> for ExtPairAccess<'de> {
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
