//! What is said of a thing that cannot be done.

use std::io;

/// The same error, naming the endpoint.
pub(crate) fn named(verb: &str, endpoint: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot {verb} {endpoint}: {error}"))
}
