//! Dates in exts of pseud's wire, for wires that know nothing but moments.

use crate::value::datetime::DateTime;
use crate::value::dynamic::value::Value;
use crate::value::pickle;

/// The datetime in an ext of pseud's wire: what has to be a timestamp on another.
///
/// # Errors
/// Another date of Python's, which msgpack has no form for; a zone that is not known here.
pub(crate) fn of_ext(code: i8, payload: &[u8]) -> Result<Option<DateTime>, &'static str> {
    let Ok(Some(found)) = pickle::read(code, payload) else { return Ok(None) };
    match found.value() {
        Some(Value::DateTime(moment)) => Ok(Some(*moment)),
        Some(_) => Err("msgpack has no dates, time spans or zones, only moments"),
        None => Err("a datetime in a zone whose offset is not known is no timestamp"),
    }
}
