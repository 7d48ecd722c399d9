//! Mechanisms: closed step machines between the greeting and the traffic.
//!
//! A mechanism says what follows our greeting, and answers each command of the peer's handshake by
//! a [`Step`]. It never touches the queue or the clock: the connection carries its steps out.

mod null;

use super::command::Command;
use super::config::{ConnectionConfig, Side};
use super::metadata::Metadata;
use crate::error::PeerError;
use null::Null;

/// A mechanism by its name in the greeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MechanismName {
    /// No authentication, no encryption.
    Null,
}

impl MechanismName {
    /// Its 20 bytes in the greeting: ASCII, padded with zeros.
    pub(super) fn wire_name(self) -> [u8; 20] {
        match self {
            Self::Null => *b"NULL\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        }
    }
}

/// The mechanism of one connection, with its state.
#[derive(Debug)]
pub(super) enum Mechanism {
    Null(Null),
}

/// What one command of the peer led to.
#[derive(Debug)]
pub(super) enum Step {
    /// The handshake is over on both sides.
    Complete(Metadata),
}

impl Mechanism {
    pub(super) fn new(side: Side) -> Self {
        Self::Null(Null::new(side))
    }

    pub(super) fn name(&self) -> MechanismName {
        match self {
            Self::Null(_) => MechanismName::Null,
        }
    }

    /// The body of the command that goes out at once behind our greeting.
    pub(super) fn start(&self, config: &ConnectionConfig) -> Option<Vec<u8>> {
        match self {
            Self::Null(null) => Some(null.start(config)),
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
        }
    }
}
