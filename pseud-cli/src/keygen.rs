//! `pseud keygen`.

use crate::cli::KeygenArguments;
use crate::{FAILED, fail, terminal};
use pseud::tokio::files::{new_key_pair, save_key_pair};
use std::io;
use std::process::ExitCode;

pub(crate) fn run(arguments: &KeygenArguments) -> ExitCode {
    match generate(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(FAILED, &error.to_string()),
    }
}

fn generate(arguments: &KeygenArguments) -> io::Result<()> {
    let pair = new_key_pair()?;
    save_key_pair(&arguments.output, &pair)?;
    terminal::say(&pair.public().to_string())
}
