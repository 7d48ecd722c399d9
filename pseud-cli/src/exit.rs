//! How the program ends: its exit codes, and why on stderr.

use crate::terminal;
use pseud::EndpointError;
use std::error::Error;
use std::process::ExitCode;

/// The remote handler failed, or an endpoint cannot be bound.
pub(crate) const FAILED: u8 = 1;
/// What was asked for makes no sense; clap's own usage errors exit with it, too.
pub(crate) const USAGE: u8 = 2;
/// No answer came.
pub(crate) const NO_ANSWER: u8 = 3;

/// Says why on stderr, in one line.
pub(crate) fn fail(code: u8, why: &str) -> ExitCode {
    terminal::complain(&format!("pseud: {}", terminal::escape(why)));
    ExitCode::from(code)
}

/// Says why an endpoint cannot be used. Where a flag is missing, that is a usage error.
pub(crate) fn fail_at(error: &(dyn Error + 'static)) -> ExitCode {
    match error.downcast_ref() {
        Some(EndpointError::InClear(in_clear)) => {
            let (verb, endpoint) = (in_clear.verb(), in_clear.endpoint());
            let cause = match in_clear.is_kaa() {
                true => {
                    "all that kaa.rpc says would cross the network in clear; give --allow-plaintext if \
                     that network is trusted, or use a loopback address or a Unix socket"
                }
                false => {
                    "passwords would cross the network in clear; give --allow-plaintext if that network \
                     is trusted, or let both sides use keys (pseud keygen --help)"
                }
            };
            fail(USAGE, &format!("cannot {verb} {endpoint}: {cause}"))
        }
        _ => fail(FAILED, &error.to_string()),
    }
}
