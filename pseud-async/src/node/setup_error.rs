//! Why there is no server, or no client.

use std::io;

/// Why a server or a client could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// An identity that no peer could have: over 255 bytes, or beginning with a zero byte (ids that
    /// receivers make for peers that announce none); or none where one is needed.
    #[error("{0}")]
    Identity(&'static str),
    /// What a mechanism was given could not be shown to anybody: a name of over 255 bytes, no key.
    #[error("{0}")]
    Mechanism(&'static str),
    /// There is no heartbeat plug-in of that name for that role.
    #[error("there is no heartbeat plug-in of that name for that role")]
    Heartbeat,
    /// It was made outside of a runtime, or in one that lacks what a node needs.
    #[error("{0}")]
    Runtime(#[source] io::Error),
    /// The operating system gives no entropy: there is no fallback.
    #[error("the operating system gives no entropy: {0}")]
    Entropy(#[source] io::Error),
}

/// [`InvalidInput`](io::ErrorKind::InvalidInput) where the settings are at fault.
impl From<SetupError> for io::Error {
    fn from(error: SetupError) -> Self {
        let kind = match &error {
            SetupError::Identity(_) | SetupError::Mechanism(_) | SetupError::Heartbeat => {
                io::ErrorKind::InvalidInput
            }
            SetupError::Runtime(cause) | SetupError::Entropy(cause) => cause.kind(),
        };
        Self::new(kind, error)
    }
}
