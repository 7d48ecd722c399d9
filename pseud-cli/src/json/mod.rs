//! Values as JSON, both ways and without loss.
//!
//! What JSON lacks is an object with one key, which begins with `$`. A map that would be taken for
//! one, or has keys that are not strings, is `{"$map": [[key, value], …]}`. Order is kept.

mod dates;
mod pickled;
mod read;
mod write;

pub(crate) use read::argument;
pub(crate) use write::{Exts, write, write_of};

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some((hex_digit(*high)? << 4) | hex_digit(*low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
