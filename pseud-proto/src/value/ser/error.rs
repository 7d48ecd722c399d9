//! What cannot be sent.

use crate::error::{CallRefused, Fault};
use crate::value::check::limits::DEPTH_CEILING;
use serde::ser;
use std::fmt;
use std::fmt::Display;

/// A value that cannot be sent to a pseud peer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The arguments are neither a tuple nor a list.
    #[error("arguments must be a tuple, an array or a Vec: `(x,)` for one")]
    NotArguments,
    /// The keyword arguments are neither a map nor a struct.
    #[error("keyword arguments must be a map or a struct")]
    NotKeywords,
    /// A keyword that is not a str.
    #[error("a keyword must be a str")]
    Keyword,
    /// A map inside a map's key: no peer could hash it.
    #[error("a map cannot be in a map's key")]
    Key,
    /// A map whose `Serialize` wrote two keys, or two values, one behind the other.
    #[error("a map is pairs of a key and a value")]
    Pairs,
    /// An integer below -2^63 or over 2^64 - 1.
    #[error("an integer that needs more than 64 bits")]
    Integer,
    /// More than 64 containers inside each other.
    #[error("nested more than {max} deep", max = DEPTH_CEILING)]
    Depth,
    /// A str, bytes, or a list of 4 GiB or more.
    #[error("more than 2^32 - 1 bytes or items in one value")]
    TooLong,
    /// An ext whose code is negative, or whose content is not what its code says.
    #[error("a bad ext: codes are 0 to 127, and 123 to 126 hold dates")]
    Ext,
    /// Its own `Serialize` caught the panic of a part that was being written.
    #[error("its Serialize left a part unfinished: it caught a panic")]
    Unfinished,
    /// What the value's own `Serialize` said.
    #[error("{0}")]
    Custom(String),
}

impl ser::Error for EncodeError {
    fn custom<T: Display>(text: T) -> Self {
        Self::Custom(text.to_string())
    }
}

/// The same in one word, so that the results of a hundred small steps fit a register.
#[derive(Debug, Clone)]
pub(crate) struct Failure(Box<EncodeError>);

impl Failure {
    #[cold]
    pub(crate) fn into_error(self) -> EncodeError {
        *self.0
    }
}

impl From<EncodeError> for Failure {
    #[cold]
    fn from(error: EncodeError) -> Self {
        Self(Box::new(error))
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(&self.0, f)
    }
}

impl std::error::Error for Failure {}

impl ser::Error for Failure {
    fn custom<T: Display>(text: T) -> Self {
        EncodeError::Custom(text.to_string()).into()
    }
}

impl From<EncodeError> for CallRefused {
    fn from(error: EncodeError) -> Self {
        Self::Arguments(error.to_string().into())
    }
}

/// What a caller is told whose result cannot be sent: a `TypeError`, as Python raises.
impl From<EncodeError> for Fault {
    fn from(error: EncodeError) -> Self {
        Self::new("TypeError", error.to_string())
    }
}
