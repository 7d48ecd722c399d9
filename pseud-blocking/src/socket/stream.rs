//! Sockets of fresh connections.

use super::raw::RawSocket;
use super::reader::note;
use crate::threads::reactor::Reactor;
use pseud_async::adapter::{PolledRead, RuntimeSocket, SocketReader, SocketStream, SocketWriter};
use socket2::{SockRef, Socket};
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll};

/// A fresh connection.
pub type Stream = SocketStream<RawSocket>;

/// The reading half of a link's socket.
pub type ReadHalf = SocketReader<RawSocket>;

/// The writing half of a link's socket.
pub type WriteHalf = SocketWriter<RawSocket>;

/// Over a connected socket of that reactor.
pub(super) fn over(reactor: &Arc<Reactor>, socket: Socket) -> io::Result<Stream> {
    connected(RawSocket::new(reactor, socket)?)
}

pub(super) fn connected(raw: Arc<RawSocket>) -> io::Result<Stream> {
    raw.set_blocking()?;
    Ok(Stream::new(raw))
}

impl RuntimeSocket for RawSocket {
    type Reading = ();

    fn system(&self) -> SockRef<'_> {
        SockRef::from(&self.socket)
    }

    fn poll_read(&self, _: &mut (), cx: &mut Context<'_>, into: &mut [u8]) -> PolledRead {
        self.poll_read(cx, into)
    }

    fn try_write(self: &Arc<Self>, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        note(self);
        self.write_now(slices)
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_write_ready(cx)
    }
}
