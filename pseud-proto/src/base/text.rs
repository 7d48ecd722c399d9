//! Text from bytes.

use bstr::ByteSlice;

/// The bytes as text, where they are UTF-8.
///
/// By `bstr`, which goes over ASCII 16 bytes at a time wherever it lies; the standard library's check
/// goes byte by byte until it meets an address that is a multiple of 8, which is most of a short text.
#[inline]
pub(crate) fn utf8(bytes: &[u8]) -> Option<&str> {
    bytes.to_str().ok()
}

/// The front of a text: so many bytes at most.
pub(crate) fn cut(text: &str, max: usize) -> &str {
    let mut end = max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text)
}
