//! Calls over datagrams on tokio: see [`pseud_async::rpcudp`].
//!
//! ```
//! use pseud_tokio::rpcudp::Endpoint;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Endpoint::bind("127.0.0.1:0".parse()?)?;
//! server.register_typed("sayhi", |(name,): (String,), request| async move {
//!     Ok::<_, pseud_proto::Fault>(format!("Hello {name} you live at {}", request.caller().address()))
//! })?;
//!
//! let client = Endpoint::bind("127.0.0.1:0".parse()?)?;
//! let greeting: String = client.call(server.local_addr(), "sayhi", ("Snake",)).await?;
//! assert_eq!(greeting, format!("Hello Snake you live at {}", client.local_addr()));
//! # Ok(()) }
//! ```

use crate::runtime::Tokio;
use pseud_async::adapter::Runtime;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll, ready};
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;

pub use pseud_async::rpcudp::{
    Call, Config, Counts, DATAGRAM_BYTES_MAX, DatagramSocket, Datagrams, Dropped, Options, Peer,
    REQUEST_BODY_BYTES_MAX, Silence, Stats,
};

/// A UDP socket on tokio that serves and calls: see [`pseud_async::rpcudp::Endpoint`].
pub type Endpoint = pseud_async::rpcudp::Endpoint<Tokio>;

/// Tokio's socket.
#[derive(Debug)]
pub struct Socket(UdpSocket);

impl Datagrams for Tokio {
    type Socket = Socket;

    fn bind_datagrams(&self, at: SocketAddr) -> io::Result<Socket> {
        self.enter(|| {
            let socket = std::net::UdpSocket::bind(at)?;
            socket.set_nonblocking(true)?;
            UdpSocket::from_std(socket).map(Socket)
        })
    }
}

impl DatagramSocket for Socket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        let mut buffer = ReadBuf::new(buffer);
        let from = ready!(self.0.poll_recv_from(cx, &mut buffer))?;
        Poll::Ready(Ok((buffer.filled().len(), from)))
    }

    fn try_send(&self, datagram: &[u8], to: SocketAddr) -> io::Result<()> {
        self.0.try_send_to(datagram, to).map(drop)
    }

    fn poll_send_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_send_ready(cx)
    }
}
