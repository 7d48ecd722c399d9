//! Sockets: two halves of a TCP stream.

use pseud_async::Writer;
use std::io::{self, IoSlice};
use std::task::{Context, Poll};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// The writing half of a link's socket.
pub(crate) struct WriteHalf(OwnedWriteHalf);

impl Writer for WriteHalf {
    fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match slices {
            [slice] => self.0.try_write(slice),
            slices => self.0.try_write_vectored(slices),
        }
    }
}

impl WriteHalf {
    pub(crate) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.as_ref().poll_write_ready(cx)
    }
}

/// Splits a fresh stream. Small messages are not held back: what belongs together is written
/// together already.
pub(crate) fn split(stream: TcpStream) -> io::Result<(OwnedReadHalf, WriteHalf)> {
    stream.set_nodelay(true)?;
    let (reader, writer) = stream.into_split();
    Ok((reader, WriteHalf(writer)))
}
