//! What is said of a thing that cannot be done.

use std::io;

/// The user asked for what cannot be done.
pub(crate) fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}

/// The same error, naming the endpoint.
pub(crate) fn named(verb: &str, endpoint: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot {verb} {endpoint}: {error}"))
}
