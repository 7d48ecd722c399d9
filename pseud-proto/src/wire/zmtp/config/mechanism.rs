//! Which mechanism a connection speaks, and with which secrets.

#[cfg(feature = "_curve")]
use crate::auth::keys::key::PublicKey;
#[cfg(feature = "_curve")]
use crate::auth::keys::pair::KeyPair;
use crate::auth::mechanism_name::MechanismName;
use crate::base::secret::Secret;
use bytes::Bytes;

/// The mechanism of a connection and its role in it. The role is set here; who connects and who
/// binds does not matter. Nothing else is ever spoken: there is no fall-back.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum MechanismConfig {
    /// No authentication, no encryption. Nobody is asked about.
    #[default]
    Null,
    /// We show a name and a password, in clear.
    PlainClient {
        /// At most 255 bytes.
        username: Bytes,
        /// At most 255 bytes.
        password: Secret,
    },
    /// Peers show names and passwords, in clear; each is asked about.
    PlainServer,
    /// We know the server's key and prove ours; all traffic is encrypted.
    #[cfg(feature = "_curve")]
    CurveClient {
        /// The keys the server may have: one, or two while it changes them. A client must choose
        /// before it hears anything of the server: [`Connection::for_attempt`] takes them in turn.
        ///
        /// [`Connection::for_attempt`]: crate::wire::zmtp::Connection::for_attempt
        server_keys: Vec<PublicKey>,
        /// Ours.
        key_pair: KeyPair,
    },
    /// Peers know one of our keys and prove theirs; each is asked about; all traffic is encrypted.
    #[cfg(feature = "_curve")]
    CurveServer {
        /// Ours: one, or two while they change. Further ones are not tried, as each costs.
        key_pairs: Vec<KeyPair>,
    },
}

impl MechanismConfig {
    pub(crate) fn name(&self) -> MechanismName {
        match self {
            Self::Null => MechanismName::Null,
            Self::PlainClient { .. } | Self::PlainServer => MechanismName::Plain,
            #[cfg(feature = "_curve")]
            Self::CurveClient { .. } | Self::CurveServer { .. } => MechanismName::Curve,
        }
    }

    /// What our greeting says.
    pub(crate) fn is_server(&self) -> bool {
        match self {
            Self::Null | Self::PlainClient { .. } => false,
            Self::PlainServer => true,
            #[cfg(feature = "_curve")]
            Self::CurveClient { .. } => false,
            #[cfg(feature = "_curve")]
            Self::CurveServer { .. } => true,
        }
    }

    /// The key pairs of a CURVE server.
    #[cfg(feature = "_curve")]
    pub(crate) fn server_pairs(&self) -> &[KeyPair] {
        match self {
            Self::CurveServer { key_pairs } => key_pairs,
            _ => &[],
        }
    }
}
