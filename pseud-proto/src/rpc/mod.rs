//! Sessions of peers, calls both ways: who is meant, what is open, what is queued. It names
//! no wire and no dialect.

pub(crate) mod calling;
pub(crate) mod calls;
pub mod config;
pub(crate) mod endpoint;
pub(crate) mod heard;
pub(crate) mod identities;
pub(crate) mod inbound;
pub(crate) mod parked;
pub(crate) mod replay_window;
pub(crate) mod replying;
pub(crate) mod requests;
pub(crate) mod session;
pub(crate) mod sessions;
pub(crate) mod stats;
pub(crate) mod transmit;
pub(crate) mod unreachable;
pub(crate) mod users;
