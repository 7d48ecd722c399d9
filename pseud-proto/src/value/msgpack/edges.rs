//! The few heads that the endpoint reads and writes itself, around bodies that it does not look at.

use crate::value::check::limits::ValueLimits;
use crate::value::check::{Check, Root};
use crate::value::msgpack::head::{Head, HeadReader};
use crate::value::msgpack::out::{ARRAY, BIN, MAP, Out, STR};

/// The count of an array, which `rest` then stands behind.
pub(crate) fn read_array(rest: &mut &[u8]) -> Option<u32> {
    match read(rest)? {
        Head::Array(count) => Some(count),
        _ => None,
    }
}

/// The same of a map.
pub(crate) fn read_map(rest: &mut &[u8]) -> Option<u32> {
    match read(rest)? {
        Head::Map(count) => Some(count),
        _ => None,
    }
}

/// The bytes of a str, or of a bin: Python 2 peers write names and classes so. Not checked to be
/// UTF-8.
pub(crate) fn read_text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    match read(rest)? {
        Head::Str(text) | Head::Bin(text) => Some(text),
        _ => None,
    }
}

/// An integer of at least zero.
pub(crate) fn read_uint(rest: &mut &[u8]) -> Option<u64> {
    match read(rest)? {
        Head::Int(integer) => integer.as_u64(),
        _ => None,
    }
}

fn read<'a>(rest: &mut &'a [u8]) -> Option<Head<'a>> {
    let mut reader = HeadReader { rest };
    let head = reader.head().ok()?;
    *rest = reader.rest;
    Some(head)
}

/// Cuts one whole value off, of bytes that were found sound.
pub(crate) fn cut<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let mut reader = HeadReader { rest };
    reader.skip().ok()?;
    let (value, behind) = rest.split_at_checked(rest.len() - reader.rest.len())?;
    *rest = behind;
    Some(value)
}

/// Whether that is exactly one value as pseud's wire allows it.
pub(crate) fn is_sound(bytes: &[u8]) -> bool {
    let mut check = Check::new(bytes, &ValueLimits::default());
    check.value(Root::Any).and_then(|()| check.end()).is_ok()
}

/// `[`, of that many items; those bytes of it that count.
pub(crate) fn array_head(count: u32) -> ([u8; 5], usize) {
    ARRAY.head(count)
}

/// The same of a map of that many entries.
pub(crate) fn map_head(count: u32) -> ([u8; 5], usize) {
    MAP.head(count)
}

/// What stands before a str of that many bytes; those bytes of it that count.
#[inline]
pub(crate) fn str_head(len: u32) -> ([u8; 5], usize) {
    STR.head(len)
}

/// What stands before a bin of that many bytes; those bytes of it that count.
pub(crate) fn bin_head(len: u32) -> ([u8; 5], usize) {
    BIN.head(len)
}

/// Appends an integer.
pub(crate) fn put_uint(out: &mut Vec<u8>, value: u64) {
    let mut integer = Out::new();
    integer.unsigned(value);
    out.extend_from_slice(integer.as_slice());
}
