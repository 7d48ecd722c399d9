//! Sockets: a fresh connection, its halves, and TCP's keep-alive.

mod keep_alive;
#[cfg(unix)]
#[path = "unix.rs"]
mod raw;
#[cfg(not(unix))]
#[path = "other.rs"]
mod raw;

use pseud_async::Writer;
use pseud_proto::zmtp::Heartbeat;
use raw::Raw;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

/// A fresh connection.
pub(crate) enum Stream {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

/// The reading half of a link's socket.
#[derive(Clone)]
pub(crate) struct ReadHalf {
    raw: Arc<Raw>,
    /// Whether urgent data may have cut reads short since one found nothing.
    urgent: bool,
}

/// The writing half of a link's socket.
pub(crate) struct WriteHalf {
    raw: Arc<Raw>,
    tcp: bool,
}

impl Stream {
    /// Where the other side is.
    pub(crate) fn address(&self) -> io::Result<String> {
        match self {
            Self::Tcp(stream) => Ok(stream.peer_addr()?.to_string()),
            #[cfg(unix)]
            Self::Unix(_) => Ok("ipc".to_owned()),
        }
    }

    /// Splits it. Small messages are not held back: what belongs together is written together.
    pub(crate) fn split(self) -> io::Result<(ReadHalf, WriteHalf)> {
        let (raw, tcp) = match self {
            Self::Tcp(stream) => {
                stream.set_nodelay(true)?;
                (Raw::tcp(stream)?, true)
            }
            #[cfg(unix)]
            Self::Unix(stream) => (Raw::unix(stream)?, false),
        };
        let raw = Arc::new(raw);
        Ok((ReadHalf { raw: raw.clone(), urgent: false }, WriteHalf { raw, tcp }))
    }
}

impl ReadHalf {
    /// Reads what there is, at most as much as `buffer` holds. 0: the stream has ended.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.raw.poll_read(cx, buffer, &mut self.urgent)
    }

    /// Tells the peer that nothing more comes.
    pub(crate) fn shut_down_writing(&self) -> io::Result<()> {
        self.raw.as_socket().shutdown(std::net::Shutdown::Write)
    }
}

impl Writer for WriteHalf {
    fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.raw.try_write(slices)
    }

    fn keep_alive(&self, bounds: Heartbeat) {
        // The kernel knows when the process at the other end of a Unix socket is gone.
        if !self.tcp {
            return;
        }
        if let Err(error) = keep_alive::set(&self.raw.as_socket(), bounds) {
            tracing::warn!(%error, "no TCP keep-alive: a peer that is gone may not be noticed");
        }
    }
}

impl WriteHalf {
    pub(crate) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.raw.poll_writable(cx)
    }
}

pub(crate) fn unsupported() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "this system has no such sockets")
}
