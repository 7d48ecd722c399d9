//! ZMTP 3.1: one link's bytes to messages and back. No meaning, only messages.
//!
//! [`Connection`] is the machine and its type says how to drive it. The rooms below it:
//!
//! | module | what it knows |
//! |---|---|
//! | `config` | what we say and what we allow |
//! | `greeting` | the first 64 bytes, judged as early as they allow |
//! | `frame` | the frame header, to bytes and back |
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
mod frame;
mod greeting;
mod heartbeat;
mod input;
mod mechanism;
mod metadata;
mod outgoing;
mod output;
mod parts;
mod secret;
mod socket_type;
mod stats;

pub use config::{ConnectionConfig, FrameLimits, Heartbeat, Side};
pub use connection::Connection;
pub use event::{Event, Ready, TooLarge};
#[cfg(feature = "_curve")]
pub use mechanism::{KeyError, KeyPair, PublicKey, SecretKey};
pub use mechanism::{MechanismConfig, MechanismName, Question, Verdict};
pub use outgoing::{Outgoing, Token};
pub use parts::Parts;
pub use secret::Secret;
pub use socket_type::SocketType;
pub use stats::Stats;
