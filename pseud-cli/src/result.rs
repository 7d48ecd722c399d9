//! The result of a call on stdout.

use crate::exit::{FAILED, fail};
use crate::{json, terminal};
use pseud::Value;
use std::process::ExitCode;

/// Prints it as one line of JSON.
pub(crate) fn answer(value: &Value) -> ExitCode {
    let said = json::write(value).map_err(std::io::Error::other);
    match said.and_then(|text| terminal::say(&text)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(FAILED, &format!("answered, but cannot write the answer: {error}")),
    }
}
