//! A stream socket where there is no Unix: tokio's.

use pseud_async::adapter::{PolledRead, RuntimeSocket};
use socket2::SockRef;
use std::io::{self, ErrorKind, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::net::TcpStream;

/// A stream socket of tokio's.
#[derive(Debug)]
pub struct PolledSocket(TcpStream);

impl PolledSocket {
    pub(super) fn tcp(stream: TcpStream) -> io::Result<Self> {
        Ok(Self(stream))
    }
}

impl RuntimeSocket for PolledSocket {
    type Reading = ();

    fn system(&self) -> SockRef<'_> {
        SockRef::from(&self.0)
    }

    fn poll_read(&self, _: &mut (), cx: &mut Context<'_>, into: &mut [u8]) -> PolledRead {
        loop {
            ready!(self.0.poll_read_ready(cx))?;
            match self.0.try_read(into) {
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                read => return Poll::Ready(read),
            }
        }
    }

    fn try_write(self: &Arc<Self>, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(slices)
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_write_ready(cx)
    }
}
