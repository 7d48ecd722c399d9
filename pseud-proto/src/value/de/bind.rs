//! Arguments and keyword arguments together, bound as Python binds them.

use super::{BadArguments, Mismatch};
use crate::value::EXT_STRUCT;
use crate::value::de::args::{Args, takes};
use crate::value::de::kwargs::Kwargs;
use serde::de::value::U64Deserializer;
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, Visitor};

/// What a handler takes: a struct by position and by its fields' names, all else by position alone.
pub(crate) fn bind<'de, T: Deserialize<'de>>(
    args: &'de [u8],
    kwargs: &'de [u8],
) -> Result<T, BadArguments> {
    let (args, kwargs) = (Args::read(args)?, Kwargs::read(kwargs)?);
    Ok(T::deserialize(Bind { args, kwargs })?)
}

/// Both, before it is known what is wanted.
struct Bind<'de> {
    args: Args<'de>,
    kwargs: Kwargs<'de>,
}

impl<'de> Bind<'de> {
    /// For who takes no keywords.
    fn positions(mut self) -> Result<Args<'de>, Mismatch> {
        self.kwargs.none()?;
        Ok(self.args)
    }
}

macro_rules! by_position {
    ($($method:ident($($name:ident: $kind:ty),*))*) => {$(
        fn $method<V: Visitor<'de>>(
            self,
            $($name: $kind,)*
            visitor: V,
        ) -> Result<V::Value, Mismatch> {
            self.positions()?.$method($($name,)* visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Bind<'de> {
    type Error = Mismatch;

    fn deserialize_struct<V: Visitor<'de>>(
        mut self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        // Aliases are among the fields: there may be fewer places than these.
        self.args.at_most(fields.len())?;
        self.kwargs.known = Some(fields);
        let value = visitor.visit_map(Fields { bind: &mut self, at: 0 })?;
        self.kwargs.none()?;
        Ok(value)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.args.at_most(0)?;
        self.kwargs.deserialize_map(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        match name {
            EXT_STRUCT => self.positions()?.deserialize_newtype_struct(name, visitor),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    by_position! {
        deserialize_any()
        deserialize_bool()
        deserialize_i8()
        deserialize_i16()
        deserialize_i32()
        deserialize_i64()
        deserialize_i128()
        deserialize_u8()
        deserialize_u16()
        deserialize_u32()
        deserialize_u64()
        deserialize_u128()
        deserialize_f32()
        deserialize_f64()
        deserialize_char()
        deserialize_str()
        deserialize_string()
        deserialize_bytes()
        deserialize_byte_buf()
        deserialize_option()
        deserialize_unit()
        deserialize_unit_struct(name: &'static str)
        deserialize_seq()
        deserialize_tuple(len: usize)
        deserialize_tuple_struct(name: &'static str, len: usize)
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
        deserialize_identifier()
        deserialize_ignored_any()
    }
}

/// A struct's fields: first those given by position, named by their number, then those given by name.
struct Fields<'b, 'de> {
    bind: &'b mut Bind<'de>,
    at: u32,
}

impl<'de> Fields<'_, 'de> {
    fn by_position(&self) -> bool {
        self.bind.args.taken < self.bind.args.given
    }

    fn too_many(&self) -> Mismatch {
        let given = self.bind.args.given;
        Mismatch(format!("at most {}, {given} given", takes(self.at as usize)))
    }
}

impl<'de> de::MapAccess<'de> for Fields<'_, 'de> {
    type Error = Mismatch;

    fn next_key_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Mismatch> {
        if !self.by_position() {
            return de::MapAccess::next_key_seed(&mut &mut self.bind.kwargs, seed);
        }
        let key = seed.deserialize(U64Deserializer::<Mismatch>::new(u64::from(self.at)));
        key.map(Some).map_err(|_| self.too_many())
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Mismatch> {
        if !self.by_position() {
            return de::MapAccess::next_value_seed(&mut &mut self.bind.kwargs, seed);
        }
        let args = &mut self.bind.args;
        args.de.must_take = Some(args.de.reader.rest.len());
        let value = de::SeqAccess::next_element_seed(&mut &mut *args, seed);
        match (value, args.de.must_take.take()) {
            (Ok(Some(value)), _) => {
                self.at += 1;
                Ok(value)
            }
            (Ok(None), _) => Err(super::out_of_turn()),
            (Err(_), None) => Err(self.too_many()),
            (Err(error), Some(_)) => Err(error),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        None
    }
}
