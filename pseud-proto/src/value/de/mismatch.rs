//! The words that a caller is told where types do not fit.

use crate::error::{Exception, Fault};
use crate::value::msgpack::head::NoHead;
use serde::de::{self, Expected, Unexpected};
use std::fmt::Display;

/// A well-formed body that is not of the type that was asked for.
///
/// It says what was expected and what kind of value was found, never the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Mismatch(pub(super) String);

/// Arguments that do not fit the handler; where one of them is at fault, the text names it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadArguments(String);

/// What the caller is told: a `TypeError`, as Python raises.
impl From<BadArguments> for Fault {
    fn from(error: BadArguments) -> Self {
        Self::new(Exception::TypeError, error.0)
    }
}

impl From<Mismatch> for BadArguments {
    fn from(Mismatch(text): Mismatch) -> Self {
        Self(text)
    }
}

impl Mismatch {
    pub(super) fn inside(self, place: impl Display) -> Self {
        Self(format!("{place}: {}", self.0))
    }
}

impl de::Error for Mismatch {
    fn custom<T: Display>(text: T) -> Self {
        Self(text.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(format!("expected {}, found {}", wanted(expected), kind(found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let (wanted, found) = (wanted(expected), kind(found));
        Self(format!("expected {wanted}, found {found} that is out of range"))
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
pub(super) fn name_of(name: &str) -> String {
    let shown: String = name.chars().take(64).flat_map(char::escape_debug).collect();
    format!("`{shown}`")
}

/// What was expected, in a caller's words: whether a handler borrows is nothing to it.
fn wanted(expected: &dyn Expected) -> String {
    match expected.to_string().as_str() {
        "a borrowed string" => "a string".to_owned(),
        "a borrowed byte array" => "bytes".to_owned(),
        other => other.to_owned(),
    }
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
