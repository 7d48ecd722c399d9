//! ZMTP by hand: what a peer may write, right or wrong, and a socket to write it to.
//!
//! | module | what it is |
//! |---|---|
//! | `bytes` | greetings, frames, commands, messages of pseud's |
//! | `peer`, `any_stream` | a peer of bare bytes, over a socket or a connection of any runtime |
//! | `forger` | boxes and commands of CURVE |

mod any_stream;
pub mod bytes;
pub mod forger;
mod peer;

pub use crate::path::split::{COMMAND, LONG, MORE};
pub use crate::patience::PATIENCE;
pub use any_stream::AnyStream;
pub use bytes::*;
pub use peer::{Answer, RawFrame, RawPeer};
