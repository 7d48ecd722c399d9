//! A peer that calls one server.

use super::peering::SocketNode;
use pseud_async::adapter::check_client;
use pseud_async::{Address, Drain, EndpointError, IntoAddress, Node, Options, SetupError};
use std::io;
use std::ops::Deref;
use std::time::Duration;

/// As [`pseud_blocking::Client`](crate::Client), over libzmq.
#[derive(Debug, Clone)]
pub struct Client(SocketNode);

crate::faces::handlers!(Client);
crate::faces::waiting!(Client);
super::faces::endpoints!(Client);

impl Client {
    /// A client of the server that is known by `server`: its user id. It has a context of its own.
    ///
    /// # Errors
    /// As for [`pseud_blocking::Client::new`](crate::Client::new).
    pub fn new(server: impl AsRef<[u8]>) -> Result<Self, SetupError> {
        Self::with_options(Options::client(server), zmq::Context::new())
    }

    /// With settings of its own, in a context of yours: `inproc://` leads to its other sockets.
    ///
    /// # Errors
    /// As for [`new`](Self::new), and settings that contradict each other, or that libzmq has no means for
    /// ([`Unsupported`](io::ErrorKind::Unsupported)): [the table](super) lists them; the context has another handler of ZAP
    /// ([`AddrInUse`](io::ErrorKind::AddrInUse)), where peers are authenticated.
    pub fn with_options(options: Options, context: zmq::Context) -> Result<Self, SetupError> {
        check_client(&options)?;
        SocketNode::new(options, context).map(Self)
    }
}
