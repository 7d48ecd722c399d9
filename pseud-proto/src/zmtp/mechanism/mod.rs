//! Mechanisms: closed step machines between the greeting and the traffic.
//!
//! A mechanism says what follows our greeting, and answers each command of the peer's handshake by
//! a [`Step`]. It never touches the queue or the clock: the connection carries its steps out.

#[cfg(not(feature = "_curve"))]
mod absent;
mod config;
#[cfg(feature = "_curve")]
mod curve;
mod gate;
mod null;
mod plain;

#[cfg(not(feature = "_curve"))]
pub(super) use absent::{OVERHEAD, Opener, Sealer};
pub use config::MechanismConfig;
#[cfg(feature = "_curve")]
pub use curve::{KeyError, KeyPair, PublicKey, SecretKey};
#[cfg(feature = "_curve")]
pub(super) use curve::{OVERHEAD, Opener, Sealer};
pub use gate::{Question, Verdict};

use super::command::{self, Command};
use super::config::{ConnectionConfig, Side};
use super::entropy::Entropy;
use super::metadata::Metadata;
use crate::error::{Misbehaved, PeerError};
use crate::user::User;
use null::Null;
use plain::{PlainClient, PlainServer};
use std::time::Duration;

/// A mechanism by its name in the greeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MechanismName {
    /// No authentication, no encryption.
    Null,
    /// A name and a password, in clear.
    Plain,
    /// Keys on both sides, encryption.
    #[cfg(feature = "_curve")]
    Curve,
}

impl MechanismName {
    /// Its name in the greeting.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Plain => "PLAIN",
            #[cfg(feature = "_curve")]
            Self::Curve => "CURVE",
        }
    }

    /// Its 20 bytes in the greeting: ASCII, padded with zeros.
    pub(super) fn wire_name(self) -> [u8; 20] {
        let mut padded = [0; 20];
        padded.iter_mut().zip(self.as_str().bytes()).for_each(|(place, byte)| *place = byte);
        padded
    }
}

/// What a sealed frame says inside. Its outer flags say nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Inner {
    pub(super) is_command: bool,
    pub(super) has_more: bool,
}

/// Both directions of an encrypted link.
pub(super) struct Session {
    pub(super) sealer: Sealer,
    pub(super) opener: Opener,
}

/// The end of a handshake.
pub(super) struct Complete {
    /// The body of the last command, ours.
    pub(super) last: Option<Vec<u8>>,
    pub(super) metadata: Metadata,
    /// Who the peer was admitted as.
    pub(super) user: User,
    /// Where traffic is encrypted.
    pub(super) session: Option<Box<Session>>,
}

/// What one command of the peer, or an answer, led to.
pub(super) enum Step {
    /// That command goes out.
    Send(Vec<u8>),
    /// Somebody must answer before anything else happens.
    Ask(Question),
    /// The handshake is over on both sides.
    Complete(Complete),
}

/// The mechanism of one connection, with its state.
pub(super) enum Mechanism {
    Null(Null),
    PlainClient(PlainClient),
    PlainServer(PlainServer),
    #[cfg(feature = "_curve")]
    CurveClient(Box<curve::Client>),
    #[cfg(feature = "_curve")]
    CurveServer(Box<curve::Server>),
    /// The handshake is over and its secrets are gone.
    Over,
}

impl Mechanism {
    /// Which one is the configuration's choice alone. `attempt` counts the links to one server.
    pub(super) fn new(
        config: &ConnectionConfig,
        side: Side,
        attempt: u32,
        entropy: &Entropy,
    ) -> Self {
        #[cfg(not(feature = "_curve"))]
        let _ = (attempt, entropy);
        match &config.mechanism {
            MechanismConfig::Null => Self::Null(Null::new(side)),
            MechanismConfig::PlainClient { .. } => Self::PlainClient(PlainClient::new()),
            MechanismConfig::PlainServer => Self::PlainServer(PlainServer::new()),
            #[cfg(feature = "_curve")]
            MechanismConfig::CurveClient { server_keys, key_pair } => Self::CurveClient(Box::new(
                curve::Client::new(server_keys, attempt, key_pair.clone(), entropy.into()),
            )),
            #[cfg(feature = "_curve")]
            MechanismConfig::CurveServer { .. } => {
                Self::CurveServer(Box::new(curve::Server::new(entropy.into())))
            }
        }
    }

    /// How long a handshake may take at most, whatever is configured: a CURVE cookie must not live
    /// longer.
    pub(super) fn timeout_max(&self) -> Duration {
        match self {
            #[cfg(feature = "_curve")]
            Self::CurveServer(_) => curve::COOKIE_TIMEOUT,
            _ => Duration::MAX,
        }
    }

    /// The body of the command that goes out at once behind our greeting.
    pub(super) fn start(&self, config: &ConnectionConfig) -> Option<Vec<u8>> {
        match self {
            Self::Null(null) => Some(null.start(config)),
            _ => None,
        }
    }

    /// The peer's greeting came and names our mechanism: the body of the command that answers it.
    pub(super) fn handle_greeting(
        &mut self,
        config: &ConnectionConfig,
    ) -> Result<Option<Vec<u8>>, PeerError> {
        match self {
            Self::PlainClient(client) => client.handle_greeting(config).map(Some),
            #[cfg(feature = "_curve")]
            Self::CurveClient(client) => client.handle_greeting().map(Some),
            _ => Ok(None),
        }
    }

    /// Takes one command of the peer's handshake.
    pub(super) fn handle_command(
        &mut self,
        command: Command<'_>,
        config: &ConnectionConfig,
    ) -> Result<Step, PeerError> {
        match self {
            Self::Null(null) => null.handle_command(command, config),
            Self::PlainClient(client) => client.handle_command(command, config),
            Self::PlainServer(server) => server.handle_command(command, config),
            #[cfg(feature = "_curve")]
            Self::CurveClient(client) => client.handle_command(command, config),
            #[cfg(feature = "_curve")]
            Self::CurveServer(server) => server.handle_command(command, config),
            Self::Over => Err(Misbehaved::UnexpectedCommand.into()),
        }
    }

    /// The peer ended the link within the handshake.
    pub(super) fn left_alone(&self) -> PeerError {
        match self {
            #[cfg(feature = "_curve")]
            Self::CurveClient(client) => client.left_alone(),
            _ => Misbehaved::HandshakeIncomplete.into(),
        }
    }

    /// The peer that was asked about may come in.
    pub(super) fn admit(
        &mut self,
        user: User,
        config: &ConnectionConfig,
    ) -> Result<Step, PeerError> {
        #[cfg(not(feature = "_curve"))]
        let _ = config;
        match self {
            Self::PlainServer(server) => Ok(server.admit(user)),
            #[cfg(feature = "_curve")]
            Self::CurveServer(server) => server.admit(user, config),
            _ => Err(Misbehaved::UnexpectedCommand.into()),
        }
    }

    /// The body of the ERROR that tells the peer why it may not.
    pub(super) fn refusal(&self, code: u16) -> Vec<u8> {
        match self {
            // Others than libzmq's clients see a broken command, and go as well.
            Self::PlainServer(_) => command::libzmq_error(code),
            _ => command::error(code),
        }
    }
}
