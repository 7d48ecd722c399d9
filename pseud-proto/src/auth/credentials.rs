//! What a client shows when it is asked who it is.

use crate::base::secret::Secret;
use bytes::Bytes;

/// A login and its password, shown in answer to UNAUTHORIZED by a HELLO
/// ([`Config::credentials`](crate::Config)). `Debug` shows no password.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Credentials {
    /// The login. At most 1 024 bytes.
    pub login: Bytes,
    /// Its password. At most 1 024 bytes.
    pub password: Secret,
    /// Whether it is shown to peers of links that are not encrypted, too: whoever claims to be the server
    /// there learns it. Default: false; only the server of a CURVE link is, whose key is pinned.
    pub allow_plaintext: bool,
}

impl Credentials {
    /// The longest login, and the longest password, in bytes.
    pub const BYTES_MAX: usize = 1 << 10;

    /// Those, for encrypted links.
    pub fn new(login: impl Into<Bytes>, password: Secret) -> Self {
        Self { login: login.into(), password, allow_plaintext: false }
    }

    /// The same, shown over links in clear or not.
    #[must_use]
    pub fn allow_plaintext(mut self, allow: bool) -> Self {
        self.allow_plaintext = allow;
        self
    }
}
