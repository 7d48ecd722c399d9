//! Sockets of fresh connections.

#[cfg(unix)]
#[path = "unix.rs"]
mod raw;
#[cfg(not(unix))]
#[path = "other.rs"]
mod raw;

use pseud_async::adapter::{SocketReader, SocketStream, SocketWriter};
pub use raw::PolledSocket;
use std::io;
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

/// A fresh connection of tokio.
pub type Stream = SocketStream<PolledSocket>;

/// The reading half of a link's socket.
pub type ReadHalf = SocketReader<PolledSocket>;

/// The writing half of a link's socket.
pub type WriteHalf = SocketWriter<PolledSocket>;

/// Called in a runtime, as are all sockets of tokio's.
pub(crate) fn over_tcp(stream: TcpStream) -> io::Result<Stream> {
    PolledSocket::tcp(stream).map(Stream::new)
}

/// The same over a Unix socket.
#[cfg(unix)]
pub(crate) fn over_unix(stream: UnixStream) -> io::Result<Stream> {
    PolledSocket::unix(stream).map(Stream::new)
}
