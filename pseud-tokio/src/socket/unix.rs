//! A stream socket of Unix, by its own system calls.
//!
//! Not tokio's `TcpStream`: it takes a read that is shorter than its buffer for "nothing more", which
//! urgent data belies, and its vectored writes raise SIGPIPE.

use pseud_async::adapter::{PolledRead, RuntimeSocket};
use socket2::{SockRef, Socket};
use std::io::{self, ErrorKind, IoSlice, Read};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::{TcpStream, UnixStream};

/// A stream socket of Unix.
#[derive(Debug)]
pub struct PolledSocket(AsyncFd<Socket>);

/// A peer that is gone is an error, not a signal: embedders may have SIGPIPE at its default.
#[cfg(not(target_vendor = "apple"))]
const FLAGS: libc::c_int = libc::MSG_NOSIGNAL;
/// There the socket itself is told so: see `PolledSocket::new`.
#[cfg(target_vendor = "apple")]
const FLAGS: libc::c_int = 0;

/// epoll's EPOLLPRI: urgent data is there (TCP's, or MSG_OOB of Unix sockets).
#[cfg(any(target_os = "linux", target_os = "android"))]
const URGENT: Option<Interest> = Some(Interest::PRIORITY);
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const URGENT: Option<Interest> = None;

impl PolledSocket {
    pub(super) fn tcp(stream: TcpStream) -> io::Result<Self> {
        Self::new(stream.into_std()?.into())
    }

    pub(super) fn unix(stream: UnixStream) -> io::Result<Self> {
        Self::new(stream.into_std()?.into())
    }

    fn new(socket: Socket) -> io::Result<Self> {
        #[cfg(target_vendor = "apple")]
        socket.set_nosigpipe(true)?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        let interest = URGENT.map_or(interest, |urgent| interest | urgent);
        // What its successor asks of its caller, and is `unsafe` for, holds of every `Socket`: it owns its
        // descriptor, and never another one.
        #[allow(deprecated, reason = "its successor cannot be called without `unsafe`")]
        let socket = AsyncFd::with_interest(socket, interest)?;
        Ok(Self(socket))
    }

    /// Whether a read that did not fill its buffer has taken all that there was: that saves a second
    /// one, which would only say so. Events come on edges, so it must be certain. A read ends before
    /// urgent data (`tcp_recvmsg`, `unix_stream_read_generic` in Linux), with more behind it: where the
    /// event told of some, only a read that finds nothing says that nothing is left.
    fn is_drained(&self, urgent: &mut bool) -> bool {
        let Some(interest) = URGENT else { return false };
        // Taken from the event, so that the next urgent byte is seen as well.
        let _ = self.0.try_io(interest, |_| {
            *urgent = true;
            Err::<(), _>(ErrorKind::WouldBlock.into())
        });
        !*urgent
    }
}

impl RuntimeSocket for PolledSocket {
    /// Whether urgent data may have cut reads short since one found nothing.
    type Reading = bool;

    fn system(&self) -> SockRef<'_> {
        SockRef::from(self.0.get_ref())
    }

    fn poll_read(&self, urgent: &mut bool, cx: &mut Context<'_>, into: &mut [u8]) -> PolledRead {
        loop {
            let mut ready = ready!(self.0.poll_read_ready(cx))?;
            match ready.try_io(|socket| socket.get_ref().read(into)) {
                Ok(Ok(count)) => {
                    if 0 < count && count < into.len() && self.is_drained(urgent) {
                        ready.clear_ready();
                    }
                    return Poll::Ready(Ok(count));
                }
                Ok(Err(error)) if error.kind() == ErrorKind::Interrupted => {}
                Ok(Err(error)) => return Poll::Ready(Err(error)),
                Err(_nothing_there) => *urgent = false,
            }
        }
    }

    fn try_write(self: &Arc<Self>, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_io(Interest::WRITABLE, |socket| match slices {
            [slice] => socket.send_with_flags(slice, FLAGS),
            slices => socket.send_vectored_with_flags(slices, FLAGS),
        })
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_write_ready(cx).map_ok(|_ready| ())
    }
}
