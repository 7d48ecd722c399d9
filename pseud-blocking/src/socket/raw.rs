//! A stream socket that one thread at a time may block in reading, while any thread writes.
//!
//! The descriptor stays in blocking mode. Who must not block says so call by call (`MSG_DONTWAIT`), so a
//! caller that waits for its answer can sleep in `recv` itself while others write through the same
//! description.

use super::ahead::{Ahead, leads};
use crate::threads::reactor::{EventSource, LINGER, Reactor, SocketReadiness, Unwatched};
use mio::Interest;
use rustix::net::RecvFlags;
use socket2::Socket;
use std::fmt;
use std::io::{self, ErrorKind, IoSlice, Read};
use std::os::fd::AsRawFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// How long a caller sleeps in `recv` at most. Nobody can wake it there, so that long at most is late
/// what ends its call otherwise than by its answer: a lost link, this side's end. A call that takes longer
/// than this leaves the socket to the reactor.
pub(crate) const SLICE: Duration = Duration::from_millis(20);

/// Writing does not block, and a peer that is gone is an error, not a signal: embedders may have SIGPIPE
/// at its default.
#[cfg(not(target_vendor = "apple"))]
const SEND: libc::c_int = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
/// There sockets are told about SIGPIPE themselves, where they are made.
#[cfg(target_vendor = "apple")]
const SEND: libc::c_int = libc::MSG_DONTWAIT;

/// epoll's EPOLLPRI: urgent data is there (TCP's, or MSG_OOB of Unix sockets).
#[cfg(any(target_os = "linux", target_os = "android"))]
const URGENT: Option<Interest> = Some(Interest::PRIORITY);
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const URGENT: Option<Interest> = None;

/// One socket.
pub struct RawSocket {
    pub(super) socket: Socket,
    pub(super) reactor: Arc<Reactor>,
    number: usize,
    state: Mutex<RawState>,
}

#[derive(Debug, Default)]
pub(super) struct RawState {
    /// The reactor hears of its events.
    watched: bool,
    /// Whether it may be readable, or writable, by the last event.
    readable: bool,
    writable: bool,
    /// How many events there were: what is found after one is not to be forgotten.
    events: u64,
    /// What such an event told of: only a read that finds nothing says that nothing is left.
    uncertain: bool,
    /// Who waits for the socket to be readable, or writable.
    pub(super) reading: Option<Waker>,
    writing: Option<Waker>,
    /// A caller reads it: nobody else does.
    pub(super) led: bool,
    /// Somebody else would have liked to, meanwhile.
    pub(super) shared: bool,
    /// When a caller last read it.
    pub(super) left: Option<Instant>,
    /// Until when no caller reads it, since it was shared.
    pub(super) barred_until: Option<Instant>,
    /// What a caller has read that the link has not taken yet.
    pub(super) ahead: Ahead,
}

impl fmt::Debug for RawSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Raw").field("number", &self.number).finish_non_exhaustive()
    }
}

impl RawSocket {
    /// A socket of that reactor that does not block. Connected already, or about to be.
    pub(crate) fn new(reactor: &Arc<Reactor>, socket: Socket) -> io::Result<Arc<Self>> {
        let raw = Arc::new_cyclic(|raw: &Weak<Self>| {
            let reactor = reactor.clone();
            let number = reactor.add_source(raw.clone());
            Self { socket, reactor, number, state: Mutex::default() }
        });
        raw.watch(&mut raw.lock())?;
        Ok(raw)
    }

    /// From here on `read` blocks, for a slice of time.
    pub(crate) fn set_blocking(&self) -> io::Result<()> {
        self.socket.set_nonblocking(false)?;
        self.socket.set_read_timeout(Some(SLICE))
    }

    /// Its reactor, and its number there: no other socket has both while this one is.
    pub(super) fn number(&self) -> (usize, usize) {
        (self.reactor.id(), self.number)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, RawState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first event comes for what is there already.
    pub(super) fn watch(&self, state: &mut RawState) -> io::Result<()> {
        if !state.watched {
            (state.readable, state.writable) = (false, true);
            let interest = Interest::READABLE | Interest::WRITABLE;
            let interest = URGENT.map_or(interest, |urgent| interest | urgent);
            self.reactor.watch(self.number, self.socket.as_raw_fd(), interest)?;
            state.watched = true;
        }
        Ok(())
    }

    pub(super) fn unwatch(&self, state: &mut RawState) {
        if std::mem::take(&mut state.watched) {
            self.reactor.unwatch(self.socket.as_raw_fd());
        }
    }

    /// Reads what there is, at most as much as `buffer` holds. 0: the stream has ended.
    pub(crate) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            let mut state = self.lock();
            if let Some(read) = state.ahead.take(buffer, &self.reactor) {
                return Poll::Ready(read);
            }
            if state.led && !leads(self.number()) {
                state.shared = true;
                return state.wait_to_read(cx);
            }
            if state.led && !state.ahead.has_more() {
                return state.wait_to_read(cx);
            }
            if !state.led {
                self.watch(&mut state)?;
                if !state.readable {
                    return state.wait_to_read(cx);
                }
            }
            // While this thread reads, no other one begins to.
            state.reading = None;
            let events = state.events;
            drop(state);
            match rustix::net::recv(&self.socket, &mut *buffer, RecvFlags::DONTWAIT) {
                Ok((count, _)) => {
                    if 0 < count && count < buffer.len() {
                        self.lock().found_less(events);
                    }
                    return Poll::Ready(Ok(count));
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => self.lock().found_nothing(events),
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }

    /// Writes what it can at once.
    pub(crate) fn write_now(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let write = || match slices {
            [slice] => self.socket.send_with_flags(slice, SEND),
            slices => self.socket.send_vectored_with_flags(slices, SEND),
        };
        let written = write();
        if written.as_ref().is_err_and(|error| error.kind() == ErrorKind::WouldBlock) {
            let mut state = self.lock();
            self.watch(&mut state)?;
            state.writable = false;
            drop(state);
            // Room that came before that was noted told nobody.
            return write();
        }
        written
    }

    pub(crate) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.lock();
        self.watch(&mut state)?;
        if state.writable {
            return Poll::Ready(Ok(()));
        }
        state.writing = Some(cx.waker().clone());
        Poll::Pending
    }

    /// It is not yet writable: only an event says that it is.
    pub(super) fn expect_writable(&self) {
        self.lock().writable = false;
    }

    /// Blocks until something comes, for [`SLICE`] at most.
    pub(super) fn read_blocking(&self, buffer: &mut [u8]) -> io::Result<usize> {
        (&self.socket).read(buffer)
    }
}

impl RawState {
    pub(super) fn is_watched(&self) -> bool {
        self.watched
    }

    pub(super) fn is_readable(&self) -> bool {
        self.readable
    }

    fn wait_to_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if !self.reading.as_ref().is_some_and(|known| known.will_wake(cx.waker())) {
            self.reading = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    fn found_nothing(&mut self, events: u64) {
        self.ahead.no_more();
        if self.events == events {
            (self.readable, self.uncertain) = (false, false);
        }
    }

    /// A read that did not fill its buffer has taken all that there was, which spares the one that would
    /// only say so. Events come on edges, so it must be certain: a read ends before urgent data
    /// (`tcp_recvmsg` in Linux), and of the stream's end or an error there is no second event.
    fn found_less(&mut self, events: u64) {
        if !self.uncertain {
            self.found_nothing(events);
        }
    }
}

impl EventSource for RawSocket {
    fn ready(&self, SocketReadiness { readable, writable, uncertain }: SocketReadiness) {
        let mut state = self.lock();
        state.events += 1;
        state.readable |= readable;
        state.writable |= writable;
        state.uncertain |= uncertain;
        let reader = if readable && !state.led { state.reading.take() } else { None };
        let writer = if writable { state.writing.take() } else { None };
        drop(state);
        reader.into_iter().chain(writer).for_each(Waker::wake);
    }
}

impl Unwatched for RawSocket {
    fn watch_again(&self, now: Instant) -> bool {
        let mut state = self.lock();
        let lingers = state.left.is_none_or(|left| now.saturating_duration_since(left) < LINGER);
        if state.led || (lingers && !state.watched) {
            return false;
        }
        self.reactor.drop_spare();
        // Who reads next finds out what is wrong.
        if let Err(error) = self.watch(&mut state) {
            tracing::warn!(%error, "a socket cannot be watched");
            let reader = state.reading.take();
            drop(state);
            reader.into_iter().for_each(Waker::wake);
        }
        true
    }
}

impl Drop for RawSocket {
    fn drop(&mut self) {
        let mut state = std::mem::take(&mut *self.lock());
        self.unwatch(&mut state);
        self.reactor.remove_source(self.number);
    }
}
