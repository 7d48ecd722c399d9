//! Why an endpoint cannot be bound, connected to, or left.

mod in_clear;

pub use self::in_clear::InClear;

use pseud_proto::address::BadAddress;
use std::io;

/// Why `bind`, `connect`, `unbind` or `disconnect` failed: each says of which endpoint.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// It is no endpoint, or not one for that.
    #[error(transparent)]
    BadAddress(#[from] BadAddress),
    /// Passwords or calls would leave this machine in clear.
    #[error(transparent)]
    InClear(#[from] InClear),
    /// It is connected to already.
    #[error("cannot connect to {0}: that was asked for already")]
    AlreadyConnected(String),
    /// It is neither bound nor connected to.
    #[error("cannot {verb} {endpoint}: it is not among the endpoints in use")]
    NotInUse {
        /// `unbind` or `disconnect`.
        verb: &'static str,
        /// The endpoint.
        endpoint: String,
    },
    /// The node has ended.
    #[error("cannot {verb} {endpoint}: this side shut down")]
    ShutDown {
        /// `bind` or `connect to`.
        verb: &'static str,
        /// The endpoint.
        endpoint: String,
    },
    /// The system refuses it.
    #[error("cannot {verb} {endpoint}: {cause}")]
    Io {
        /// `bind`, `unbind` or `connect to`.
        verb: &'static str,
        /// The endpoint.
        endpoint: String,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// The calling thread may not wait for it, or the runtime is gone.
    #[error("{0}")]
    Runtime(#[source] io::Error),
}

impl EndpointError {
    /// The same of an endpoint that is written so.
    #[cfg(feature = "kaa")]
    pub(crate) fn of(mut self, written: &str) -> Self {
        match &mut self {
            Self::BadAddress(BadAddress { endpoint, .. })
            | Self::AlreadyConnected(endpoint)
            | Self::NotInUse { endpoint, .. }
            | Self::ShutDown { endpoint, .. }
            | Self::Io { endpoint, .. } => *endpoint = written.to_owned(),
            Self::InClear(in_clear) => in_clear.set_endpoint(written),
            Self::Runtime(_) => {}
        }
        self
    }

    /// The kind of [`io::Error`] that says the same.
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            Self::BadAddress(_) | Self::InClear(_) => io::ErrorKind::InvalidInput,
            Self::AlreadyConnected(_) => io::ErrorKind::AlreadyExists,
            Self::NotInUse { .. } => io::ErrorKind::NotFound,
            Self::ShutDown { .. } => io::ErrorKind::Other,
            Self::Io { cause, .. } | Self::Runtime(cause) => cause.kind(),
        }
    }
}

/// Of that [kind](EndpointError::kind), with the error inside.
impl From<EndpointError> for io::Error {
    fn from(error: EndpointError) -> Self {
        Self::new(error.kind(), error)
    }
}
