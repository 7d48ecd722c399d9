//! Sockets: a fresh connection, and its halves.

use async_io::Async;
use pseud_async::adapter::{self, Reader, Writer, keep_alive, set_buffers, socket};
use pseud_proto::zmtp::Heartbeat;
use socket2::{SockRef, Socket};
use std::io::{self, ErrorKind, IoSlice, Read};
use std::net::Shutdown;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// A fresh connection.
#[derive(Debug)]
pub struct Stream(Async<Socket>);

/// The reading half of a link's socket.
#[derive(Debug)]
pub struct ReadHalf(Arc<Async<Socket>>);

/// The writing half of a link's socket.
#[derive(Debug)]
pub struct WriteHalf {
    socket: Arc<Async<Socket>>,
    tcp: bool,
}

impl Stream {
    /// Over a connected socket that does not block.
    pub(crate) fn new(socket: Socket) -> io::Result<Self> {
        Async::new_nonblocking(socket).map(Self)
    }

    /// Connects a socket that has begun to.
    pub(crate) async fn connect(socket: Socket) -> io::Result<Self> {
        let socket = Async::new_nonblocking(socket)?;
        socket.writable().await?;
        socket::connected(&SockRef::from(socket.get_ref()))?;
        Ok(Self(socket))
    }

    fn socket(&self) -> SockRef<'_> {
        SockRef::from(self.0.get_ref())
    }
}

impl adapter::Stream for Stream {
    type Reader = ReadHalf;
    type Writer = WriteHalf;

    fn peer_address(&self) -> io::Result<String> {
        socket::peer_address(&self.socket())
    }

    fn is_connected_to_itself(&self) -> io::Result<bool> {
        socket::is_connected_to_itself(&self.socket())
    }

    fn split(self) -> io::Result<(ReadHalf, WriteHalf)> {
        let tcp = socket::set_no_delay(&self.socket())?;
        let socket = Arc::new(self.0);
        Ok((ReadHalf(socket.clone()), WriteHalf { socket, tcp }))
    }
}

impl Reader for ReadHalf {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            match self.0.get_ref().read(buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    ready!(self.0.poll_readable(cx))?;
                }
                read => return Poll::Ready(read),
            }
        }
    }

    fn shut_down_writing(&self) -> io::Result<()> {
        self.0.get_ref().shutdown(Shutdown::Write)
    }
}

impl Writer for WriteHalf {
    fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        socket::send(&SockRef::from(self.socket.get_ref()), slices)
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_writable(cx)
    }

    fn buffer_size(&self, bytes: usize) {
        set_buffers(&SockRef::from(self.socket.get_ref()), bytes);
    }

    fn keep_alive(&self, bounds: Heartbeat) {
        // The kernel knows when the process at the other end of a Unix socket is gone.
        if !self.tcp {
            return;
        }
        if let Err(error) = keep_alive(&SockRef::from(self.socket.get_ref()), bounds) {
            tracing::warn!(%error, "no TCP keep-alive: a peer that is gone may not be noticed");
        }
    }
}
