//! Calls over datagrams on plain threads: see [`pseud_async::rpcudp`].
//!
//! ```
//! use pseud_blocking::{Wait, rpcudp::Endpoint};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Endpoint::bind("127.0.0.1:0".parse()?)?;
//! server.register_typed("sayhi", |(name,): (String,), request| {
//!     Ok::<_, pseud_proto::Fault>(format!("Hello {name} you live at {}", request.caller().address()))
//! })?;
//!
//! let client = Endpoint::bind("127.0.0.1:0".parse()?)?;
//! let greeting: String = client.call(server.local_addr(), "sayhi", ("Snake",)).wait()?;
//! assert_eq!(greeting, format!("Hello Snake you live at {}", client.local_addr()));
//! # Ok(()) }
//! ```
//!
//! What Python's `rpcudp` returns, whether there was an answer and the answer, is
//! `block_on(call.answered())`: see [`block_on`].

use crate::runtime::Threads;
use crate::wait::{Wait, block_on, refused};
use pseud_async::{CallError, Drain, EndpointError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::net::SocketAddr;
use std::ops::Deref;
use std::time::Duration;

pub use crate::socket::datagrams::Socket;
pub use pseud_async::rpcudp::{
    Call, Config, Counts, DATAGRAM_BYTES_MAX, DatagramSocket, Datagrams, Dropped, Options, Peer,
    REQUEST_BODY_BYTES_MAX, Silence, Stats,
};

impl Datagrams for Threads {
    type Socket = Socket;

    fn bind_datagrams(&self, at: SocketAddr) -> io::Result<Socket> {
        Socket::bind(self.reactor(), at)
    }
}

/// A UDP socket that serves handlers on threads of a pool, and calls others from any number of threads.
///
/// What it serves it serves from its birth, in the background: [`serve`](Self::serve) is for programs that
/// do nothing else. Cheap to clone; all clones are one, and it closes with the last of them.
///
/// It is a [`pseud_async::rpcudp::Endpoint`] on [`Threads`]: whatever is a future there, a thread waits for
/// ([`Wait`], [`block_on`]).
#[derive(Debug, Clone)]
pub struct Endpoint(pseud_async::rpcudp::Endpoint<Threads>);

crate::faces::handlers!(Endpoint);

impl Endpoint {
    /// A socket at that address; port 0 is one that is free.
    ///
    /// # Errors
    /// The address cannot be had; the system gives no thread, no descriptors or no entropy.
    pub fn bind(at: SocketAddr) -> Result<Self, EndpointError> {
        pseud_async::rpcudp::Endpoint::bind(at).map(Self)
    }

    /// The same with settings of its own.
    ///
    /// # Errors
    /// As for [`bind`](Self::bind).
    pub fn bind_with(at: SocketAddr, options: Options) -> Result<Self, EndpointError> {
        pseud_async::rpcudp::Endpoint::bind_with(at, options).map(Self)
    }

    /// Ends it in order: see [`pseud_async::rpcudp::Endpoint::drain`].
    ///
    /// # Errors
    /// This thread must not block.
    pub fn drain(&self, at_most: Duration) -> io::Result<Drain> {
        Ok(block_on(self.0.drain(at_most))?)
    }

    /// Serves until another clone closes this endpoint.
    ///
    /// # Errors
    /// This thread must not block.
    pub fn serve(&self) -> io::Result<()> {
        Ok(block_on(self.0.closed())?)
    }
}

impl Deref for Endpoint {
    type Target = pseud_async::rpcudp::Endpoint<Threads>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<T: DeserializeOwned, A: Serialize> Wait for Call<T, A> {
    type Output = T;

    fn wait(self) -> Result<T, CallError> {
        block_on(self).map_err(refused)?
    }
}
