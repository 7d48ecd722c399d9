//! Sessions of peers, calls both ways: who is meant, what is open, what is queued. It names
//! no wire and no dialect.

pub(crate) mod budget;
pub(crate) mod config;
pub(crate) mod counts;
pub(crate) mod directory;
pub(crate) mod endpoint;
pub(crate) mod session;
pub(crate) mod share;
pub(crate) mod stats;
