//! What listens: a TCP port, or a Unix socket with its file.

use crate::socket::{Stream, over};
use async_io::Async;
use pseud_async::adapter::{self, SocketAddress, SocketFile, socket};
use socket2::{SockRef, Socket};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::task::{Context, Poll, ready};

/// What listens. When it is dropped its address is free.
#[derive(Debug)]
pub struct Listener {
    /// It goes first: whoever binds there next finds none, and loses none to us.
    _file: Option<SocketFile>,
    socket: Async<Socket>,
}

impl Listener {
    pub(crate) fn bind(at: &SocketAddress, mode: Option<u32>) -> io::Result<Self> {
        let (_file, socket) = socket::listening(at, mode)?;
        Ok(Self { _file, socket: Async::new_nonblocking(socket)? })
    }
}

impl adapter::Listener for Listener {
    type Stream = Stream;

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        loop {
            match socket::accept(&SockRef::from(self.socket.get_ref())) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    ready!(self.socket.poll_readable(cx))?;
                }
                accepted => return Poll::Ready(accepted.and_then(over)),
            }
        }
    }

    fn tcp_address(&self) -> io::Result<Option<SocketAddr>> {
        Ok(self.socket.get_ref().local_addr()?.as_socket())
    }
}
