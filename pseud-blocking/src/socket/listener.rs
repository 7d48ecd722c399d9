//! What listens: a TCP port, or a Unix socket with its file.

use super::stream::Stream;
use crate::threads::reactor::{EventSource, Reactor};
use mio::Interest;
use pseud_async::adapter::{self, SocketAddress, SocketFile, socket};
use socket2::{SockRef, Socket};
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

/// What listens. When it is dropped its address is free.
#[derive(Debug)]
pub struct Listener {
    /// It goes first: whoever binds there next finds none, and loses none to us.
    _file: Option<SocketFile>,
    listening: Arc<ListeningSocket>,
}

struct ListeningSocket {
    socket: Socket,
    reactor: Arc<Reactor>,
    number: usize,
    state: Mutex<ListenState>,
}

#[derive(Debug, Default)]
struct ListenState {
    readable: bool,
    waiting: Option<Waker>,
}

impl fmt::Debug for ListeningSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listening").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Listener {
    /// Listens there; `mode` are the permissions of a Unix socket's file.
    pub(crate) fn bind(
        reactor: &Arc<Reactor>,
        at: &SocketAddress,
        mode: Option<u32>,
    ) -> io::Result<Self> {
        let (_file, socket) = socket::listening(at, mode)?;
        Ok(Self { _file, listening: ListeningSocket::new(reactor, socket)? })
    }
}

impl ListeningSocket {
    fn new(reactor: &Arc<Reactor>, socket: Socket) -> io::Result<Arc<Self>> {
        let listening = Arc::new_cyclic(|listening: &Weak<Self>| {
            let reactor = reactor.clone();
            let number = reactor.add_source(listening.clone());
            Self { socket, reactor, number, state: Mutex::default() }
        });
        let socket = listening.socket.as_raw_fd();
        listening.reactor.watch(listening.number, socket, Interest::READABLE)?;
        Ok(listening)
    }

    fn lock(&self) -> MutexGuard<'_, ListenState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Socket>> {
        loop {
            let mut state = self.lock();
            if !state.readable {
                state.waiting = Some(cx.waker().clone());
                return Poll::Pending;
            }
            // Who comes after that look is a new event.
            state.readable = false;
            drop(state);
            match socket::accept(&SockRef::from(&self.socket)) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => self.lock().readable = true,
                accepted => {
                    self.lock().readable = true;
                    return Poll::Ready(accepted);
                }
            }
        }
    }
}

impl EventSource for ListeningSocket {
    fn ready(&self, readable: bool, _: bool) {
        let mut state = self.lock();
        state.readable |= readable;
        let waiting = if readable { state.waiting.take() } else { None };
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }
}

impl Drop for ListeningSocket {
    fn drop(&mut self) {
        self.reactor.unwatch(self.socket.as_raw_fd());
        self.reactor.remove_source(self.number);
    }
}

impl adapter::Listener for Listener {
    type Stream = Stream;

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        let accepted = self.listening.poll_accept(cx);
        accepted.map(|socket| Stream::new(&self.listening.reactor, socket?))
    }

    fn tcp_address(&self) -> io::Result<Option<SocketAddr>> {
        Ok(self.listening.socket.local_addr()?.as_socket())
    }
}
