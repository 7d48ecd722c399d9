//! What a node asks of a runtime: I/O, time and tasks. For adapters; applications use one.
//!
//! An adapter implements [`Runtime`] with its stream, listener and timer. What is asked is little enough
//! for a loop of threads, or for a simulator over memory with a clock that is moved by hand.

pub(crate) mod abort;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod time;

use crate::entropy;
use pseud_proto::zmtp::Heartbeat;
use std::fmt;
use std::future::Future;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

/// A runtime: a handle, cheap to clone. Sockets, timers and tasks that are made through a handle live
/// on the runtime that it means, whichever executor polls the future that makes them:
/// see [`enter`](Self::enter).
pub trait Runtime: Clone + fmt::Debug + Send + Sync + 'static {
    /// A connection.
    type Stream: Stream;
    /// What listens.
    type Listener: Listener<Stream = Self::Stream>;
    /// One sleep, which can be set anew.
    type Timer: Timer;

    /// The runtime that this is called in.
    ///
    /// # Errors
    /// There is none, or it lacks what a node needs: nothing of a node could run, and later there would
    /// be nobody to tell.
    fn current() -> io::Result<Self>;

    /// Its clock: monotonic. Deadlines and timers are moments of it.
    fn now(&self) -> Instant;

    /// 32 bytes that nobody can guess, for an endpoint, a link or a wait: the operating system's, unless
    /// the runtime is a simulation whose runs are to be repeated.
    ///
    /// # Errors
    /// There are none to be had. There is no fallback.
    fn seed(&self) -> io::Result<[u8; 32]> {
        entropy::seed()
    }

    /// Starts a task, which nobody waits for. Where the runtime goes away its future is dropped.
    fn spawn(&self, future: impl Future<Output: Send> + Send + 'static);

    /// Runs a function on a thread that may block.
    fn spawn_blocking(&self, run: impl FnOnce() + Send + 'static);

    /// How many blocking handlers of a node run at once. Default 512, as many threads as tokio keeps for
    /// all that blocks in a process.
    fn blocking_threads_max(&self) -> usize {
        512
    }

    /// A timer for that moment.
    fn timer(&self, at: Instant) -> Self::Timer;

    /// Has the present task polled again once other tasks and the sockets had their turn.
    fn yield_now(&self, cx: &mut Context<'_>) {
        cx.waker().wake_by_ref();
    }

    /// Runs a part of a future as if a task of this runtime did. Runtimes whose I/O and timers are
    /// known without a context need nothing here.
    fn enter<T>(&self, run: impl FnOnce() -> T) -> T {
        run()
    }

    /// The addresses of a host, in the order in which the resolver gives them. Not asked about
    /// `localhost`.
    ///
    /// # Errors
    /// The resolver's.
    fn resolve(
        &self,
        host: &str,
        port: u16,
    ) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send;

    /// Opens a connection to one address, for as long as it takes. Dropping the future gives that up.
    ///
    /// # Errors
    /// The system's; [`unsupported`] where there are no such sockets.
    fn connect(&self, to: &SocketAddress) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// Listens at one address; `mode` are the permissions of a Unix socket's file.
    ///
    /// # Errors
    /// The system's; [`unsupported`] where there are no such sockets.
    fn bind(
        &self,
        at: &SocketAddress,
        mode: Option<u32>,
    ) -> impl Future<Output = io::Result<Self::Listener>> + Send;
}

/// Where one socket is, or is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SocketAddress {
    /// TCP, at an address and a port (0: one that is free).
    Tcp(SocketAddr),
    /// A Unix socket's file.
    UnixPath(PathBuf),
    /// A name in Linux's abstract name space.
    UnixAbstract(String),
}

/// That system, or that runtime, has no such sockets.
pub fn unsupported() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "this system has no such sockets")
}

/// What listens. When it is dropped its address is free.
pub trait Listener: Send + 'static {
    /// A connection.
    type Stream;

    /// The next connection.
    ///
    /// # Errors
    /// The system's: of one connection, or since too many files are open. The listener goes on.
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Self::Stream>>;

    /// Where it listens, if that is TCP: with the port that it really has.
    ///
    /// # Errors
    /// The system's.
    fn tcp_address(&self) -> io::Result<Option<SocketAddr>>;
}

/// A fresh connection.
pub trait Stream: Send + 'static {
    /// Its reading half, of the link's task.
    type Reader: Reader;
    /// Its writing half, of whoever has something to say.
    type Writer: Writer;

    /// Where the other side is, as text: `127.0.0.1:5555`, `ipc`.
    ///
    /// # Errors
    /// The system's: the connection is over already.
    fn peer_address(&self) -> io::Result<String>;

    /// Whether both ends are this one socket, as TCP makes it where the port that is connected to is
    /// the one that the system chose to connect from.
    ///
    /// # Errors
    /// The system's: the connection is over already.
    fn is_connected_to_itself(&self) -> io::Result<bool>;

    /// Splits it. Small messages are not to be held back (`TCP_NODELAY`): what belongs together is
    /// written together.
    ///
    /// # Errors
    /// The system's.
    fn split(self) -> io::Result<(Self::Reader, Self::Writer)>;
}

/// The reading half of a connection. It is closed when both halves are dropped.
pub trait Reader: Send + 'static {
    /// Reads what there is, at most as much as `buffer` holds. 0: the stream has ended.
    ///
    /// # Errors
    /// The system's.
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Tells the peer that nothing more comes, whoever holds the other half.
    ///
    /// # Errors
    /// The system's.
    fn shut_down_writing(&self) -> io::Result<()>;
}

/// The writing half of a connection: it does not block.
pub trait Writer: Send + Sync + 'static {
    /// Writes what it can at once; [`io::ErrorKind::WouldBlock`] where that is nothing. From any task.
    ///
    /// # Errors
    /// The system's.
    fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Ready when it may take more. One task waits for it: the link's.
    ///
    /// # Errors
    /// The system's.
    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// The link has no PINGs to find out with that its peer is gone: the socket is to do it, within
    /// those bounds. Called once, after the handshake. By default nothing is done.
    fn keep_alive(&self, _bounds: Heartbeat) {}

    /// The socket is to have buffers of so many bytes, each way. Called once, before anything is
    /// written. By default nothing is done.
    fn buffer_size(&self, _bytes: usize) {}
}

/// One sleep.
pub trait Timer: Send + 'static {
    /// Sleeps until that moment instead.
    fn reset(&mut self, at: Instant);

    /// Ready once the moment has come.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}

/// What is asked of a runtime whose kind is not known: for what is rare, and for what runs users' code.
pub trait Executor: fmt::Debug + Send + Sync {
    /// Its clock: monotonic.
    fn now(&self) -> Instant;

    /// 32 bytes that nobody can guess.
    ///
    /// # Errors
    /// There are none to be had.
    fn seed(&self) -> io::Result<[u8; 32]> {
        entropy::seed()
    }

    /// Starts a task.
    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>);

    /// Runs a function on a thread that may block.
    fn spawn_blocking(&self, run: Box<dyn FnOnce() + Send>);

    /// How many blocking handlers of a node run at once.
    fn blocking_threads_max(&self) -> usize {
        512
    }

    /// Waits for a moment of that clock. Deadlines of calls and of links have one timer each instead.
    fn sleep(&self, at: Instant) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

impl<R: Runtime> Executor for R {
    fn now(&self) -> Instant {
        Runtime::now(self)
    }

    fn seed(&self) -> io::Result<[u8; 32]> {
        Runtime::seed(self)
    }

    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) {
        Runtime::spawn(self, future);
    }

    fn spawn_blocking(&self, run: Box<dyn FnOnce() + Send>) {
        Runtime::spawn_blocking(self, run);
    }

    fn blocking_threads_max(&self) -> usize {
        Runtime::blocking_threads_max(self)
    }

    fn sleep(&self, at: Instant) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let mut timer = self.timer(at);
        Box::pin(std::future::poll_fn(move |cx| timer.poll(cx)))
    }
}
