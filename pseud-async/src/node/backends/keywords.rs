//! What ready-made plug-ins are given.

use bytes::Bytes;
use pseud_proto::User;
use pseud_proto::zmtp::Secret;
#[cfg(feature = "_curve")]
use pseud_proto::zmtp::{KeyPair, PublicKey};

/// What a ready-made plug-in is given: the keywords of Python's `Server` and `Client`.
#[derive(Debug, Clone, Default)]
pub struct Security {
    /// The login of a client.
    pub user_id: Bytes,
    /// Its password.
    pub password: Secret,
    /// Our own keys, for CURVE.
    #[cfg(feature = "_curve")]
    #[doc(alias = "public_key")]
    #[doc(alias = "secret_key")]
    pub key_pair: Option<KeyPair>,
    /// The server's key, on a client.
    #[cfg(feature = "_curve")]
    pub peer_public_key: Option<PublicKey>,
    /// Whom a server knows by password.
    pub users: Vec<(User, Secret)>,
    /// Whom a server knows by key.
    #[cfg(feature = "_curve")]
    pub keys: Vec<(PublicKey, User)>,
}
