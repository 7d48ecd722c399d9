//! Sockets of fresh connections.

use async_io::Async;
use pseud_async::adapter::{
    PolledRead, RuntimeSocket, SocketReader, SocketStream, SocketWriter, socket,
};
use socket2::{SockRef, Socket};
use std::io::{self, ErrorKind, IoSlice, Read};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// A socket of `async-io`.
#[derive(Debug)]
pub struct AsyncSocket(Async<Socket>);

/// A fresh connection.
pub type Stream = SocketStream<AsyncSocket>;

/// The reading half of a link's socket.
pub type ReadHalf = SocketReader<AsyncSocket>;

/// The writing half of a link's socket.
pub type WriteHalf = SocketWriter<AsyncSocket>;

/// Over a connected socket that does not block.
pub(crate) fn over(socket: Socket) -> io::Result<Stream> {
    Ok(Stream::new(AsyncSocket(Async::new_nonblocking(socket)?)))
}

/// Connects a socket that has begun to.
pub(crate) async fn connect(socket: Socket) -> io::Result<Stream> {
    let socket = Async::new_nonblocking(socket)?;
    socket.writable().await?;
    socket::connected(&SockRef::from(socket.get_ref()))?;
    Ok(Stream::new(AsyncSocket(socket)))
}

impl RuntimeSocket for AsyncSocket {
    type Reading = ();

    fn system(&self) -> SockRef<'_> {
        SockRef::from(self.0.get_ref())
    }

    fn poll_read(&self, _: &mut (), cx: &mut Context<'_>, into: &mut [u8]) -> PolledRead {
        loop {
            match self.0.get_ref().read(into) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    ready!(self.0.poll_readable(cx))?;
                }
                read => return Poll::Ready(read),
            }
        }
    }

    fn try_write(self: &Arc<Self>, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        socket::send(&self.system(), slices)
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_writable(cx)
    }
}
