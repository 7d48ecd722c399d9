//! What listens: a TCP port, or a Unix socket with its file.

use super::stream::{Stream, over};
use super::watched::Watched;
use crate::threads::reactor::Reactor;
use mio::Interest;
use pseud_async::adapter::{self, SocketAddress, SocketFile, socket};
use socket2::{SockRef, Socket};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

/// What listens. When it is dropped its address is free.
#[derive(Debug)]
pub struct Listener {
    /// It goes first: whoever binds there next finds none, and loses none to us.
    _file: Option<SocketFile>,
    listening: Arc<Watched<Socket>>,
}

impl Listener {
    /// Listens there; `mode` are the permissions of a Unix socket's file.
    pub(crate) fn bind(
        reactor: &Arc<Reactor>,
        at: &SocketAddress,
        mode: Option<u32>,
    ) -> io::Result<Self> {
        let (_file, socket) = socket::listening(at, mode)?;
        let listening = Watched::new(reactor, socket, Interest::READABLE)?;
        Ok(Self { _file, listening })
    }
}

impl adapter::Listener for Listener {
    type Stream = Stream;

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        let accept = |listening: &Socket| socket::accept(&SockRef::from(listening));
        let accepted = self.listening.poll_read(cx, accept);
        accepted.map(|socket| over(&self.listening.reactor, socket?))
    }

    fn tcp_address(&self) -> io::Result<Option<SocketAddr>> {
        Ok(self.listening.socket().local_addr()?.as_socket())
    }
}
