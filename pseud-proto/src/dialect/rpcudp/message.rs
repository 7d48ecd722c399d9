//! What comes: bodies as u-msgpack 2.8 reads them, and calls as `rpcudp/protocol.py` makes them of those.

use crate::value::dynamic::decode;
use crate::value::msgpack::edges;
use crate::value::msgpack::head::{Head, HeadReader};
use crate::value::msgpack::out::{ARRAY, Out};
use crate::value::{Arguments, BadValue, Packed, Unchecked, ValueLimits};
use bytes::Bytes;
use smol_str::{SmolStr, format_smolstr};

/// Why a body is no call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoCall {
    /// No value that u-msgpack reads.
    Bad(BadValue),
    /// Not an array of two, not a name, or arguments that Python could not iterate over.
    Shape,
}

impl From<BadValue> for NoCall {
    fn from(bad: BadValue) -> Self {
        Self::Bad(bad)
    }
}

/// The first value of a body. A key that stands in a map twice is an error, as u-msgpack has it
/// (`DuplicateKeyException`): of all keys but arrays.
pub(crate) fn value(body: &[u8], limits: &ValueLimits) -> Result<Packed, BadValue> {
    let packed = Unchecked::new(Bytes::copy_from_slice(body)).check_first(limits)?;
    check_keys(packed.as_bytes())?;
    Ok(packed)
}

/// The name and the arguments of a request.
pub(crate) fn call(body: &[u8], limits: &ValueLimits) -> Result<(SmolStr, Arguments), NoCall> {
    let packed = value(body, limits)?;
    let mut rest = packed.as_bytes();
    if edges::read_array(&mut rest) != Some(2) {
        return Err(NoCall::Shape);
    }
    let mut reader = HeadReader { rest };
    let name = match reader.head() {
        Ok(Head::Str(name)) => SmolStr::new(std::str::from_utf8(name).map_err(|_| NoCall::Shape)?),
        // Python formats it into the method's name: `getattr(self, f"rpc_{funcname}")`.
        Ok(Head::Int(number)) => format_smolstr!("{}", number.as_i128()),
        _ => return Err(NoCall::Shape),
    };
    let arguments = splat(reader.rest).ok_or(NoCall::Shape)?;
    Ok((name, Unchecked::new(arguments).check_positional(limits)?))
}

/// What `func(address, *args)` makes of the second item, as an array: the items of an array, the keys of
/// a map, the characters of a str, the numbers of bytes. Nothing else can be iterated over.
fn splat(args: &[u8]) -> Option<Bytes> {
    let mut reader = HeadReader { rest: args };
    let mut out = Out::new();
    match reader.head().ok()? {
        Head::Array(_) => return Some(Bytes::copy_from_slice(args)),
        Head::Map(count) => {
            out.head(ARRAY, count);
            let mut rest = reader.rest;
            for _ in 0..count {
                out.put(edges::cut(&mut rest)?);
                edges::cut(&mut rest)?;
            }
        }
        Head::Str(text) => {
            let text = std::str::from_utf8(text).ok()?;
            out.head(ARRAY, u32::try_from(text.chars().count()).ok()?);
            for character in text.chars() {
                let text = character.encode_utf8(&mut [0; 4]).len();
                out.str(character.encode_utf8(&mut [0; 4]), u32::try_from(text).ok()?);
            }
        }
        Head::Bin(bytes) => {
            out.head(ARRAY, u32::try_from(bytes.len()).ok()?);
            bytes.iter().for_each(|byte| out.unsigned(u64::from(*byte)));
        }
        _ => return None,
    }
    Some(out.take().into_bytes())
}

/// Decoded only where there is a map at all.
pub(crate) fn check_keys(bytes: &[u8]) -> Result<(), BadValue> {
    let mut reader = HeadReader { rest: bytes };
    let has_map =
        std::iter::from_fn(|| reader.head().ok()).any(|head| matches!(head, Head::Map(_)));
    if has_map { decode::unique_keys(bytes) } else { Ok(()) }
}
