//! ZMTP 3.1: one link's bytes to messages and back. No meaning, only messages.
//!
//! [`Connection`] is the machine and its type says how to drive it. The rooms below it:
//!
//! | module | what it knows |
//! |---|---|
//! | `config` | what we say and what we allow |
//! | `greeting` | the first 64 bytes, checked as early as they allow |
//! | `command`, `metadata` | command bodies and their properties |
//! | `mechanism` | the handshake: a closed step machine each for NULL, PLAIN and CURVE |
//! | `input`, `decoder` | input bytes to messages and commands |
//! | `output` | the queue of bytes to write |
//! | `heartbeat` | who was heard when |
mod command;
mod config;
mod connection;
mod decoder;
mod entropy;
mod event;
mod greeting;
mod heartbeat;
mod input;
mod mechanism;
mod metadata;
mod output;
mod stats;

#[cfg(feature = "_curve")]
pub use crate::auth::keys::key::{PublicKey, SecretKey};
#[cfg(feature = "_curve")]
pub use crate::auth::keys::key_error::KeyError;
#[cfg(feature = "_curve")]
pub use crate::auth::keys::pair::KeyPair;
pub use crate::auth::mechanism_name::MechanismName;
pub use crate::auth::question::{Question, Verdict};
pub use crate::auth::socket_type::SocketType;
pub use crate::base::secret::Secret;
pub use crate::base::side::Side;
pub use crate::message::framed::Framed;
pub use crate::message::incoming::IncomingMessage;
pub use crate::message::outgoing::{Outgoing, Token};
pub use crate::message::parts::Parts;
pub use crate::message::too_large::TooLarge;
pub use crate::wire::zmtp::config::mechanism::MechanismConfig;
pub use crate::wire::zmtp::config::{ConnectionConfig, FrameLimits, Heartbeat};
pub use crate::wire::zmtp::connection::Connection;
pub use crate::wire::zmtp::connection::opened::OpenedMessages;
pub use crate::wire::zmtp::event::{Event, Incoming, Ready};
pub use crate::wire::zmtp::stats::ConnectionStats;
