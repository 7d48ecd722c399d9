//! The closed pickles: dates inside exts 123 to 126, read and written by their shape alone.
//!
//! A Python peer runs whatever pickle these exts hold. Here a pickle is compared, byte by byte, with
//! what CPython 3.6 to 3.13 write for `timezone`, `timedelta`, `datetime` and `date` in protocols
//! 2, 4 and 5 (4 and 5 differ in their second byte only), and for the zones of well-known libraries.
//! There is no stack, no memo, no loop and nothing to look up; what differs in one opcode is not a date
//! and stays bytes.

mod codes;
mod libraries;
mod opcodes;
mod read;
mod shape;
mod write;

pub(super) use crate::value::pickle::codes::{is_protocol_5, is_run};
pub(super) use crate::value::pickle::libraries::what_is;
pub(super) use crate::value::pickle::read::read;
pub(super) use crate::value::pickle::shape::{FoundDate, Needs, Shape};
pub(super) use crate::value::pickle::write::{Dated, write};
