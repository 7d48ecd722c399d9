//! The arguments as a whole.

use super::{BadArguments, De, Mismatch};
use crate::value::EXT_STRUCT;
use crate::value::msgpack::head::{Head, HeadReader};
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, Visitor};

/// The array of arguments.
pub(crate) fn args<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, BadArguments> {
    Ok(T::deserialize(Args::read(bytes)?)?)
}

/// Whatever takes things one behind the other; or one thing, if that is what is wanted.
pub(super) struct Args<'de> {
    pub(super) de: De<'de>,
    pub(super) given: u32,
    pub(super) taken: u32,
    /// How many are wanted, where that is known: those that are not given may be an `Option` each.
    wanted: u32,
}

impl<'de> Args<'de> {
    #[inline]
    pub(super) fn read(bytes: &'de [u8]) -> Result<Self, Mismatch> {
        let mut reader = HeadReader { rest: bytes };
        if let Some(given) = reader.short_array() {
            return Ok(Self { de: De::new(reader), given, taken: 0, wanted: 0 });
        }
        match reader.head()? {
            Head::Array(given) => Ok(Self { de: De::new(reader), given, taken: 0, wanted: 0 }),
            head => Err(Mismatch(format!("expected arguments, found {}", head.kind()))),
        }
    }

    /// Counts before anything is decoded, so that the text is about the number.
    pub(super) fn at_most(&self, wanted: usize) -> Result<(), Mismatch> {
        match (self.given as usize > wanted, wanted) {
            (false, _) => Ok(()),
            (true, 0) => Err(self.none_expected()),
            (true, _) => Err(Mismatch(format!("at most {}, {} given", takes(wanted), self.given))),
        }
    }

    /// A tuple: as many as it has, or fewer where those at its end say what they are then.
    #[inline]
    fn tuple<V: Visitor<'de>>(mut self, wanted: usize, visitor: V) -> Result<V::Value, Mismatch> {
        let given = self.given as usize;
        let mismatch = || Mismatch(format!("{}, {given} given", takes(wanted)));
        if given > wanted {
            return Err(mismatch());
        }
        self.wanted = u32::try_from(wanted).unwrap_or(u32::MAX);
        let value = visitor.visit_seq(&mut self);
        // What was given fits, what was not is missed.
        value.map_err(|error| if self.taken > self.given { mismatch() } else { error })
    }

    /// The one argument of who takes one value.
    fn one(mut self) -> Result<One<'de>, Mismatch> {
        match self.given {
            1 => Ok(One(self.de)),
            given => {
                self.taken = given;
                Err(Mismatch(format!("{}, {given} given", takes(1))))
            }
        }
    }

    fn none_expected(&self) -> Mismatch {
        Mismatch(format!("no arguments expected, {} given", self.given))
    }
}

pub(super) fn takes(wanted: usize) -> String {
    match wanted {
        1 => "1 argument expected".to_owned(),
        _ => format!("{wanted} arguments expected"),
    }
}

macro_rules! one_value {
    ($($method:ident($($name:ident: $kind:ty),*))*) => {$(
        fn $method<V: Visitor<'de>>(
            self,
            $($name: $kind,)*
            visitor: V,
        ) -> Result<V::Value, Mismatch> {
            let mut one = self.one()?;
            one.0.$method($($name,)* visitor).map_err(first)
        }
    )*};
}

/// The argument of who takes one.
struct One<'de>(De<'de>);

fn first(cause: Mismatch) -> Mismatch {
    cause.inside("argument 1")
}

impl<'de> Deserializer<'de> for Args<'de> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Mismatch> {
        let value = visitor.visit_seq(&mut self)?;
        match self.taken >= self.given {
            true => Ok(value),
            false => Err(Mismatch(format!(
                "at most {}, {} given",
                takes(self.taken as usize),
                self.given
            ))),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        mut self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.wanted = u32::try_from(fields.len()).unwrap_or(u32::MAX);
        self.deserialize_any(visitor)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.given {
            0 => visitor.visit_unit(),
            _ => Err(self.none_expected()),
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
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        match name {
            EXT_STRUCT => {
                let mut one = self.one()?;
                one.0.deserialize_newtype_struct(name, visitor).map_err(first)
            }
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.given {
            0 => visitor.visit_none(),
            _ => {
                let mut one = self.one()?;
                one.0.deserialize_option(visitor).map_err(first)
            }
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.tuple(len, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.tuple(len, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_unit()
    }

    one_value! {
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
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
        deserialize_identifier()
    }

    serde::forward_to_deserialize_any! {
        seq map
    }
}

impl<'de> de::SeqAccess<'de> for &mut Args<'de> {
    type Error = Mismatch;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Mismatch> {
        if self.taken >= self.given {
            let missed = self.taken < self.wanted.max(self.given);
            self.taken = self.taken.saturating_add(1);
            // Any other type has a default, or is missed by whoever asks.
            return Ok(if missed { seed.deserialize(NotGiven).ok() } else { None });
        }
        self.taken += 1;
        let value = self.de.nested(seed);
        value.map(Some).map_err(|cause| cause.inside(format_args!("argument {}", self.taken)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.given.saturating_sub(self.taken) as usize)
    }
}

/// An argument that is not there: `None` to an `Option`, and nothing to any other type.
struct NotGiven;

impl<'de> Deserializer<'de> for NotGiven {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Mismatch> {
        Err(Mismatch("not given".to_owned()))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_none()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
