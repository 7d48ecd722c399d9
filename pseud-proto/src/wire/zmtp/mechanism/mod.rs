//! Mechanisms: closed step machines between the greeting and the traffic.
//!
//! A mechanism says what follows our greeting, and answers each command of the peer's handshake by
//! a [`Step`]. It never touches the queue or the clock: the connection carries its steps out.

#[cfg(not(feature = "_curve"))]
mod absent;
#[cfg(feature = "_curve")]
mod curve;
mod inner;
mod null;
mod plain;
mod step;

#[cfg(not(feature = "_curve"))]
pub(crate) use crate::wire::zmtp::mechanism::absent::{
    OVERHEAD, Opener, Scratch, Sealer, has_more,
};
#[cfg(feature = "_curve")]
pub(crate) use crate::wire::zmtp::mechanism::curve::{OVERHEAD, Opener, Scratch, Sealer, has_more};

pub(crate) use crate::wire::zmtp::mechanism::inner::InnerFlags;
pub(crate) use crate::wire::zmtp::mechanism::step::{Complete, Step};

use super::command;
use crate::auth::user::User;
use crate::base::side::Side;
use crate::error::{Misbehaved, PeerError};
use crate::wire::zmtp::command::Command;
use crate::wire::zmtp::config::ConnectionConfig;
use crate::wire::zmtp::config::mechanism::MechanismConfig;
use crate::wire::zmtp::entropy::Entropy;
use crate::wire::zmtp::mechanism::null::Null;
use crate::wire::zmtp::mechanism::plain::{PlainClient, PlainServer};
use std::time::Duration;

/// The mechanism of one connection, with its state.
pub(crate) enum Mechanism {
    Null(Null),
    PlainClient(PlainClient),
    PlainServer(Box<PlainServer>),
    #[cfg(feature = "_curve")]
    CurveClient(Box<curve::ClientHandshake>),
    #[cfg(feature = "_curve")]
    CurveServer(Box<curve::ServerHandshake>),
    /// The handshake is over and its secrets are gone.
    Over,
}

impl Mechanism {
    /// Which one is the configuration's choice alone. `attempt` counts the links to one server.
    pub(crate) fn new(
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
            MechanismConfig::PlainServer => Self::PlainServer(Box::new(PlainServer::new())),
            #[cfg(feature = "_curve")]
            MechanismConfig::CurveClient { server_keys, key_pair } => Self::CurveClient(Box::new(
                curve::ClientHandshake::new(server_keys, attempt, key_pair.clone(), entropy.into()),
            )),
            #[cfg(feature = "_curve")]
            MechanismConfig::CurveServer { .. } => {
                Self::CurveServer(Box::new(curve::ServerHandshake::new(entropy.into())))
            }
        }
    }

    /// How long a handshake may take at most, whatever is configured: a CURVE cookie must not live
    /// longer.
    pub(crate) fn timeout_max(&self) -> Duration {
        match self {
            #[cfg(feature = "_curve")]
            Self::CurveServer(_) => curve::COOKIE_TIMEOUT,
            _ => Duration::MAX,
        }
    }

    /// The body of the command that goes out at once behind our greeting.
    pub(crate) fn start(&self, config: &ConnectionConfig) -> Option<Vec<u8>> {
        match self {
            Self::Null(null) => Some(null.start(config)),
            _ => None,
        }
    }

    /// The peer's greeting came and names our mechanism: the body of the command that answers it.
    pub(crate) fn handle_greeting(
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
    pub(crate) fn handle_command(
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
    pub(crate) fn left_alone(&self) -> PeerError {
        match self {
            #[cfg(feature = "_curve")]
            Self::CurveClient(client) => client.left_alone(),
            _ => Misbehaved::HandshakeIncomplete.into(),
        }
    }

    /// The peer that was asked about may come in.
    pub(crate) fn admit(
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
    pub(crate) fn refusal(&self, code: u16) -> Vec<u8> {
        match self {
            // libzmq's clients of PLAIN know an ERROR by its own misspelling alone (`plain_client.cpp`);
            // others see a broken command in it, and close as at an ERROR (RFC 37).
            Self::PlainServer(_) => command::libzmq_error(code),
            _ => command::error(code),
        }
    }
}
