//! The result of a call on stdout.

use crate::exit::{FAILED, fail};
use crate::json::{self, Exts};
use crate::terminal;
use pseud::Value;
use std::process::ExitCode;

/// Prints it as one line of JSON.
pub(crate) fn answer(value: &Value) -> ExitCode {
    answer_of(value, Exts::Unknown)
}

/// The same, of a wire that says what its exts mean.
pub(crate) fn answer_of(value: &Value, exts: Exts) -> ExitCode {
    let said = json::write_of(value, exts).map_err(std::io::Error::other);
    match said.and_then(|text| terminal::say(&text)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(FAILED, &format!("answered, but cannot write the answer: {error}")),
    }
}
