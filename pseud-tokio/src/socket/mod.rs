//! Sockets: a fresh connection, and its halves.

#[cfg(unix)]
#[path = "unix.rs"]
mod raw;
#[cfg(not(unix))]
#[path = "other.rs"]
mod raw;

use pseud_async::adapter::{self, Reader, Writer, keep_alive, set_buffers};
use pseud_proto::zmtp::Heartbeat;
use raw::PolledSocket;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

/// A fresh connection of tokio.
#[derive(Debug)]
pub enum Stream {
    /// Over TCP.
    Tcp(TcpStream),
    /// Over a Unix socket.
    #[cfg(unix)]
    Unix(UnixStream),
}

/// The reading half of a link's socket.
#[derive(Debug)]
pub struct ReadHalf {
    raw: Arc<PolledSocket>,
    /// Whether urgent data may have cut reads short since one found nothing.
    urgent: bool,
}

/// The writing half of a link's socket.
#[derive(Debug)]
pub struct WriteHalf {
    raw: Arc<PolledSocket>,
    tcp: bool,
}

impl adapter::Stream for Stream {
    type Reader = ReadHalf;
    type Writer = WriteHalf;

    fn peer_address(&self) -> io::Result<String> {
        match self {
            Self::Tcp(stream) => Ok(stream.peer_addr()?.to_string()),
            #[cfg(unix)]
            Self::Unix(_) => Ok("ipc".to_owned()),
        }
    }

    fn is_connected_to_itself(&self) -> io::Result<bool> {
        match self {
            Self::Tcp(stream) => Ok(stream.local_addr()? == stream.peer_addr()?),
            #[cfg(unix)]
            Self::Unix(_) => Ok(false),
        }
    }

    fn split(self) -> io::Result<(ReadHalf, WriteHalf)> {
        let (raw, tcp) = match self {
            Self::Tcp(stream) => {
                stream.set_nodelay(true)?;
                (PolledSocket::tcp(stream)?, true)
            }
            #[cfg(unix)]
            Self::Unix(stream) => (PolledSocket::unix(stream)?, false),
        };
        let raw = Arc::new(raw);
        Ok((ReadHalf { raw: raw.clone(), urgent: false }, WriteHalf { raw, tcp }))
    }
}

impl Reader for ReadHalf {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.raw.poll_read(cx, buffer, &mut self.urgent)
    }

    fn shut_down_writing(&self) -> io::Result<()> {
        self.raw.as_socket().shutdown(std::net::Shutdown::Write)
    }
}

impl Writer for WriteHalf {
    fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.raw.try_write(slices)
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.raw.poll_write_ready(cx)
    }

    fn buffer_size(&self, bytes: usize) {
        set_buffers(&self.raw.as_socket(), bytes);
    }

    fn keep_alive(&self, bounds: Heartbeat) {
        // The kernel knows when the process at the other end of a Unix socket is gone.
        if !self.tcp {
            return;
        }
        if let Err(error) = keep_alive(&self.raw.as_socket(), bounds) {
            tracing::warn!(%error, "no TCP keep-alive: a peer that is gone may not be noticed");
        }
    }
}
