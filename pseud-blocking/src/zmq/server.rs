//! A peer that is known by an identity, and serves.

use super::peering::SocketNode;
use pseud_async::adapter::check_server;
use pseud_async::{Address, Drain, EndpointError, IntoAddress, Node, Options, SetupError};
use std::io;
use std::ops::Deref;
use std::time::Duration;

/// As [`pseud_blocking::Server`](crate::Server), over libzmq.
#[derive(Debug, Clone)]
pub struct Server(SocketNode);

crate::faces::handlers!(Server);
crate::faces::waiting!(Server);
super::faces::endpoints!(Server);

impl Server {
    /// A server known by `user_id`: 1 to 255 bytes, the first not zero. It has a context of its own.
    ///
    /// # Errors
    /// As for [`pseud_blocking::Server::new`](crate::Server::new).
    pub fn new(user_id: impl AsRef<[u8]>) -> Result<Self, SetupError> {
        Self::with_options(Options::server(user_id), zmq::Context::new())
    }

    /// With settings of its own, in a context of yours: `inproc://` leads to its other sockets.
    ///
    /// # Errors
    /// As for [`new`](Self::new), and settings that contradict each other, or that libzmq has no means for
    /// ([`Unsupported`](io::ErrorKind::Unsupported)): [the table](super) lists them; the context has another handler of ZAP
    /// ([`AddrInUse`](io::ErrorKind::AddrInUse)), where peers are authenticated.
    pub fn with_options(options: Options, context: zmq::Context) -> Result<Self, SetupError> {
        check_server(&options)?;
        SocketNode::new(options, context).map(Self)
    }
}
