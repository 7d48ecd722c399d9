//! `pseud keygen`.

use crate::cli::KeygenArguments;
use crate::exit::{FAILED, fail};
use crate::terminal;
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
    save_key_pair(&arguments.output, &pair).map_err(advise)?;
    terminal::say(&pair.public().to_string())
}

/// A key that somebody still uses must not be lost by a slip.
fn advise(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::AlreadyExists => {
            let advice =
                "it was left alone; name another file with --output, or move it away first";
            io::Error::new(error.kind(), format!("{error}: {advice}"))
        }
        _ => error,
    }
}
