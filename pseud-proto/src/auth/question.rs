//! The one thing a mechanism asks, and what may be answered.

#[cfg(feature = "_curve")]
use crate::auth::keys::key::PublicKey;
use crate::auth::user::User;
use crate::base::secret::Secret;
use bytes::Bytes;
use std::fmt;

/// Whether this peer may come in ([`Event::Ask`](crate::wire::zmtp::Event::Ask)), or is who it says
/// ([`Action::Login`](crate::Action::Login)).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Question {
    /// A PLAIN client showed these. Any bytes, 0 to 255 each.
    Plain {
        /// Its name.
        username: Bytes,
        /// Its password.
        password: Secret,
    },
    /// A CURVE client proved that this key is its own.
    #[cfg(feature = "_curve")]
    Curve {
        /// Its public key.
        client_key: PublicKey,
    },
    /// A session whose user is nobody shows these in a HELLO: at most 1 024 bytes each. Only where
    /// [logins are asked for](crate::Config::requires_login).
    Login {
        /// Its name.
        login: Bytes,
        /// Its password.
        password: Secret,
        /// The key that its link has proven, under CURVE.
        #[cfg(feature = "_curve")]
        client_key: Option<PublicKey>,
    },
}

/// Who asks to come in, for logs: the name, escaped, or the public key. Never the password.
impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain { username: name, .. } | Self::Login { login: name, .. } => {
                write!(f, "user {}", name.escape_ascii())
            }
            #[cfg(feature = "_curve")]
            Self::Curve { client_key } => write!(f, "key {client_key}"),
        }
    }
}

/// The answer: [`Connection::answer`](crate::wire::zmtp::Connection::answer).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It may, as that user: [`Ready::user`](crate::wire::zmtp::Ready::user).
    Admit(User),
    /// It may not: ERROR 400, which tells the peer not to try again.
    Deny,
    /// Nobody can tell now: ERROR 500.
    Unavailable,
}
