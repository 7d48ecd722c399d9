//! Sockets: streams and their halves, what listens, and datagrams.

mod ahead;
pub(crate) mod connect;
#[cfg(feature = "rpcudp")]
pub(crate) mod datagrams;
pub(crate) mod listener;
pub(crate) mod raw;
pub(crate) mod reader;
pub(crate) mod stream;
mod watched;
