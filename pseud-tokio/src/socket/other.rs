//! A stream socket where there is no Unix: tokio's.

use socket2::SockRef;
use std::io::{self, ErrorKind, IoSlice};
use std::task::{Context, Poll, ready};
use tokio::net::TcpStream;

#[derive(Debug)]
pub(super) struct PolledSocket(TcpStream);

impl PolledSocket {
    pub(super) fn tcp(stream: TcpStream) -> io::Result<Self> {
        Ok(Self(stream))
    }

    pub(super) fn as_socket(&self) -> SockRef<'_> {
        SockRef::from(&self.0)
    }

    pub(super) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
        _urgent: &mut bool,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.0.poll_read_ready(cx))?;
            match self.0.try_read(buffer) {
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                read => return Poll::Ready(read),
            }
        }
    }

    pub(super) fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(slices)
    }

    pub(super) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_write_ready(cx)
    }
}
