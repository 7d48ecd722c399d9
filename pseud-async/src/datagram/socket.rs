//! What an endpoint asks of a runtime: a UDP socket. For adapters.

use crate::runtime::Runtime;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

/// A runtime that has UDP sockets.
pub trait Datagrams: Runtime {
    /// One socket.
    type Socket: DatagramSocket;

    /// A socket at that address; port 0 is one that is free.
    ///
    /// # Errors
    /// The system's.
    fn bind_datagrams(&self, at: SocketAddr) -> io::Result<Self::Socket>;
}

/// A UDP socket that does not block. When it is dropped its port is free.
pub trait DatagramSocket: fmt::Debug + Send + Sync + 'static {
    /// Where it is bound.
    ///
    /// # Errors
    /// The system's.
    fn local_addr(&self) -> io::Result<SocketAddr>;

    /// The next datagram: its size, what fits of it being in `buffer`, and where it came from. One task
    /// waits for it.
    ///
    /// # Errors
    /// The system's: of one datagram that was sent before, on some. The socket goes on.
    fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>>;

    /// Sends a datagram at once; [`io::ErrorKind::WouldBlock`] where it cannot. From any task.
    ///
    /// # Errors
    /// The system's.
    fn try_send(&self, datagram: &[u8], to: SocketAddr) -> io::Result<()>;

    /// Ready when it may send more. One task waits for it.
    ///
    /// # Errors
    /// The system's.
    fn poll_send_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}
