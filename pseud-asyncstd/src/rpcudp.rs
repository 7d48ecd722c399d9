//! Calls over datagrams on `async-io`: see [`pseud_async::rpcudp`].
//!
//! ```
//! use pseud_asyncstd::rpcudp::Endpoint;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> { async_io::block_on(async {
//! let server = Endpoint::bind("127.0.0.1:0".parse()?)?;
//! server.register_typed("sayhi", |(name,): (String,), request| async move {
//!     Ok::<_, pseud_proto::Fault>(format!("Hello {name} you live at {}", request.caller().address()))
//! })?;
//!
//! let client = Endpoint::bind("127.0.0.1:0".parse()?)?;
//! let greeting: String = client.call(server.local_addr(), "sayhi", ("Snake",)).await?;
//! assert_eq!(greeting, format!("Hello Snake you live at {}", client.local_addr()));
//! # Ok(()) }) }
//! ```

use crate::AsyncIo;
use async_io::Async;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::task::{Context, Poll, ready};

pub use pseud_async::rpcudp::{
    Call, Config, Counts, DATAGRAM_BYTES_MAX, DatagramSocket, Datagrams, Dropped, Options, Peer,
    REQUEST_BODY_BYTES_MAX, Silence, Stats,
};

/// A UDP socket on `async-io` that serves and calls: see [`pseud_async::rpcudp::Endpoint`].
pub type Endpoint = pseud_async::rpcudp::Endpoint<AsyncIo>;

/// The socket of an endpoint.
#[derive(Debug)]
pub struct Socket(Async<UdpSocket>);

impl Datagrams for AsyncIo {
    type Socket = Socket;

    fn bind_datagrams(&self, at: SocketAddr) -> io::Result<Socket> {
        UdpSocket::bind(at).and_then(Async::new).map(Socket)
    }
}

impl DatagramSocket for Socket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().local_addr()
    }

    fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        loop {
            match self.0.get_ref().recv_from(buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    ready!(self.0.poll_readable(cx))?;
                }
                received => return Poll::Ready(received),
            }
        }
    }

    fn try_send(&self, datagram: &[u8], to: SocketAddr) -> io::Result<()> {
        loop {
            match self.0.get_ref().send_to(datagram, to) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                sent => return sent.map(drop),
            }
        }
    }

    fn poll_send_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_writable(cx)
    }
}
