//! A socket that does not block and that the reactor watches from its birth to its end.

use crate::threads::reactor::{EventSource, Reactor, SocketReadiness};
use mio::Interest;
use std::fmt;
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

/// One such socket: what listens, or one of datagrams.
pub(crate) struct Watched<S: AsRawFd> {
    socket: S,
    pub(super) reactor: Arc<Reactor>,
    number: usize,
    state: Mutex<Directions>,
}

#[derive(Debug, Default)]
struct Directions {
    reading: Direction,
    writing: Direction,
}

/// What is known of one direction.
#[derive(Debug, Default)]
struct Direction {
    /// Whether there may be something to do, by the last event.
    ready: bool,
    waiting: Option<Waker>,
}

impl Direction {
    fn event(&mut self, ready: bool) -> Option<Waker> {
        self.ready |= ready;
        if ready { self.waiting.take() } else { None }
    }

    fn wait(&mut self, cx: &mut Context<'_>) {
        if !self.waiting.as_ref().is_some_and(|known| known.will_wake(cx.waker())) {
            self.waiting = Some(cx.waker().clone());
        }
    }
}

impl<S: AsRawFd> fmt::Debug for Watched<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").field("number", &self.number).finish_non_exhaustive()
    }
}

impl<S: AsRawFd + Send + Sync + 'static> Watched<S> {
    /// Watches a socket that is in non-blocking mode.
    pub(super) fn new(
        reactor: &Arc<Reactor>,
        socket: S,
        interest: Interest,
    ) -> io::Result<Arc<Self>> {
        let watched = Arc::new_cyclic(|watched: &Weak<Self>| {
            let reactor = reactor.clone();
            let number = reactor.add_source(watched.clone());
            Self { socket, reactor, number, state: Mutex::default() }
        });
        // A socket that is new can be written to; of what can be read there is an event.
        watched.lock().writing.ready = interest.is_writable();
        watched.reactor.watch(watched.number, watched.socket.as_raw_fd(), interest)?;
        Ok(watched)
    }

    pub(super) fn socket(&self) -> &S {
        &self.socket
    }

    fn lock(&self) -> MutexGuard<'_, Directions> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tries what takes something from the socket, whenever the reactor says that there is something.
    pub(super) fn poll_read<T>(
        &self,
        cx: &mut Context<'_>,
        mut read: impl FnMut(&S) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        loop {
            let mut state = self.lock();
            if !state.reading.ready {
                state.reading.wait(cx);
                return Poll::Pending;
            }
            // What comes after that look is a new event.
            state.reading.ready = false;
            drop(state);
            let found = read(&self.socket);
            match &found {
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                _ => self.lock().reading.ready = true,
            }
            match found {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                found => return Poll::Ready(found),
            }
        }
    }

    /// Tries what gives something to the socket; [`ErrorKind::WouldBlock`] where there is no room.
    #[cfg(feature = "rpcudp")]
    pub(super) fn try_write<T>(&self, mut write: impl FnMut(&S) -> io::Result<T>) -> io::Result<T> {
        let mut write = || loop {
            match write(&self.socket) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                written => return written,
            }
        };
        match write() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.lock().writing.ready = false;
                // Room that came before that was noted told nobody.
                write()
            }
            written => written,
        }
    }

    #[cfg(feature = "rpcudp")]
    pub(super) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.writing.ready {
            return Poll::Ready(());
        }
        state.writing.wait(cx);
        Poll::Pending
    }
}

impl<S: AsRawFd + Send + Sync + 'static> EventSource for Watched<S> {
    fn ready(&self, SocketReadiness { readable, writable, .. }: SocketReadiness) {
        let mut state = self.lock();
        let (reader, writer) = (state.reading.event(readable), state.writing.event(writable));
        drop(state);
        reader.into_iter().chain(writer).for_each(Waker::wake);
    }
}

impl<S: AsRawFd> Drop for Watched<S> {
    fn drop(&mut self) {
        self.reactor.unwatch(self.socket.as_raw_fd());
        self.reactor.remove_source(self.number);
    }
}
