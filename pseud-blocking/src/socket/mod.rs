//! Sockets: streams and their halves, and what listens.

mod ahead;
pub(crate) mod connect;
pub(crate) mod listener;
pub(crate) mod raw;
pub(crate) mod reader;
pub(crate) mod stream;
