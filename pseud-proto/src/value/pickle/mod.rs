//! The closed pickles: dates inside exts 123 to 126, read and written by their shape alone.
//!
//! A Python peer runs whatever pickle these exts hold. Here a pickle is compared, byte by byte, with
//! what CPython 3.6 to 3.13 write for `timezone`, `timedelta`, `datetime` and `date` in protocols
//! 2, 4 and 5 (4 and 5 differ in their second byte only), and for the zones of well-known libraries.
//! There is no stack, no memo, no loop and nothing to look up; what differs in one opcode is not a date
//! and stays bytes.

mod libraries;
mod read;
mod write;

use crate::value::pickle::libraries::class_of;
pub(super) use crate::value::pickle::read::{Needs, read};
pub(super) use crate::value::pickle::write::{Dated, write};

/// Exts whose content a Python peer unpickles.
pub(super) const ZONE: i8 = 123;
pub(super) const DELTA: i8 = 124;
pub(super) const DATETIME: i8 = 125;
pub(super) const DATE: i8 = 126;

/// Whether a Python peer unpickles what is in exts of that code.
pub(super) fn is_run(code: i8) -> bool {
    (ZONE..=DATE).contains(&code)
}

/// Whether a date is in protocol 5, which a Python 3.6 or 3.7 peer dies of.
pub(super) fn is_protocol_5(pickle: &[u8]) -> bool {
    pickle.starts_with(&[0x80, 5])
}

/// An ext for people. Its class is a peer's word.
pub(super) fn what_is(code: i8, bytes: &[u8]) -> String {
    let class = class_of(bytes).filter(|_| is_run(code));
    match class {
        Some((module, name)) => {
            let class: String = format!("{module}.{name}").chars().take(64).collect();
            format!("an ext of class `{}`", class.escape_debug())
        }
        None => format!("an ext of code {code}"),
    }
}
