//! The few heads that the endpoint reads and writes itself, around bodies that it does not look at.

use super::out::{ARRAY, STR};
use super::wire::{Head, Reader};

/// The count of an array, which `rest` then stands behind.
pub(crate) fn read_array(rest: &mut &[u8]) -> Option<u32> {
    let mut reader = Reader { rest };
    let Ok(Head::Array(count)) = reader.head() else { return None };
    *rest = reader.rest;
    Some(count)
}

/// The bytes of a str, or of a bin: Python 2 peers write names and classes so. Not checked to be
/// UTF-8.
pub(crate) fn read_text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let mut reader = Reader { rest };
    let (Ok(Head::Str(text)) | Ok(Head::Bin(text))) = reader.head() else { return None };
    *rest = reader.rest;
    Some(text)
}

/// `[`, of that many items; those bytes of it that count.
pub(crate) fn array_head(count: u32) -> ([u8; 5], usize) {
    ARRAY.head(count)
}

/// What stands before a str of that many bytes; those bytes of it that count.
pub(crate) fn str_head(len: u32) -> ([u8; 5], usize) {
    STR.head(len)
}
