//! serde to msgpack, as Python's packer writes it.
//!
//! Smallest integers, 64-bit floats, structs as maps by field name, variants as a str or a map of
//! one. The depth of what is written is bounded as the check bounds what is read.

mod container;
mod encoder;
mod error;
mod ext;
mod serializer;

use crate::base::stored::Stored;
use crate::value::check::{ExtSummary, Root};
use crate::value::msgpack::out::{ARRAY, MAP};
use crate::value::ser::encoder::Encoder;
use crate::value::ser::error::Failure;
use serde::ser::Serialize;

pub use crate::value::ser::error::EncodeError;

/// One value, and what is in it. In its one caller, as [`call`]: what is returned is moved once less.
#[inline(always)]
pub(super) fn value<T: Serialize + ?Sized>(value: &T) -> Result<(Stored, ExtSummary), EncodeError> {
    let mut encoder = Encoder::new();
    encoder.nested(value).map_err(Failure::into_error)?;
    encoder.finish(&[Root::Any])
}

/// Arguments and keyword arguments, and what is in them.
#[inline(always)]
pub(super) fn call<A, K>(args: &A, kwargs: &K) -> Result<(Stored, ExtSummary), EncodeError>
where
    A: Serialize + ?Sized,
    K: Serialize + ?Sized,
{
    let mut encoder = Encoder::new();
    encoder.nested(args).map_err(Failure::into_error)?;
    encoder.root(0, ARRAY, EncodeError::NotArguments)?;
    let border = encoder.out.len();
    encoder.keywords = true;
    encoder.nested(kwargs).map_err(Failure::into_error)?;
    encoder.root(border, MAP, EncodeError::NotKeywords)?;
    encoder.finish(&[Root::Arguments, Root::Keywords])
}
