//! ZMTP by hand: what a peer may write, right or wrong, and a socket to write it to.
//!
//! | module | what it is |
//! |---|---|
//! | `bytes` | greetings, frames, commands, messages of pseud's |
//! | `peer` | a peer of bare bytes over a socket |
//! | `forger` | boxes and commands of CURVE |

pub mod bytes;
pub mod forger;
mod peer;

pub use crate::path::split::{COMMAND, LONG, MORE};
pub use bytes::*;
pub use peer::{Answer, PATIENCE, RawFrame, RawPeer};
