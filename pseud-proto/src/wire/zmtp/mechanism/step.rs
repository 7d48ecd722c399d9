//! What one step of a handshake leads to.

#[cfg(feature = "_curve")]
use crate::auth::keys::key::PublicKey;
use crate::auth::question::Question;
use crate::auth::user::User;
use crate::wire::zmtp::mechanism::{Opener, Sealer};
use crate::wire::zmtp::metadata::Metadata;

/// Both directions of an encrypted link.
pub(crate) struct Traffic {
    pub(crate) sealer: Sealer,
    pub(crate) opener: Opener,
}

/// The end of a handshake.
pub(crate) struct Complete {
    /// The body of the last command, ours.
    pub(crate) last: Option<Vec<u8>>,
    pub(crate) metadata: Metadata,
    /// Who the peer was admitted as.
    pub(crate) user: User,
    /// The key that the client of CURVE has proven, on the server's side.
    #[cfg(feature = "_curve")]
    pub(crate) client_key: Option<PublicKey>,
    /// Where traffic is encrypted.
    pub(crate) session: Option<Box<Traffic>>,
}

/// What one command of the peer, or an answer, led to.
pub(crate) enum Step {
    /// That command goes out.
    Send(Vec<u8>),
    /// Somebody must answer before anything else happens.
    Ask(Question),
    /// The handshake is over on both sides.
    Complete(Complete),
}
