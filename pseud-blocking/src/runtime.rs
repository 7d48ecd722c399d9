//! Threads as a node's runtime.

use crate::socket::connect::connect;
use crate::socket::listener::Listener;
use crate::socket::stream::Stream;
use crate::threads::reactor::Reactor;
use crate::threads::timers::TimerKey;
use pseud_async::adapter::{self, Runtime, SocketAddress};
use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

/// How many handlers run at once, unless told otherwise.
const THREADS_MAX: usize = 128;

thread_local! {
    /// What nodes that are made on this thread live on.
    static ENTERED: RefCell<Option<Threads>> = const { RefCell::new(None) };
}

/// The runtime of blocking nodes: one thread that waits for sockets and time, and a pool of at most so
/// many for handlers. Each node has its own, unless it is made within [`enter`](Self::enter). Cheap to
/// clone; the threads end with the last clone and the last node.
///
/// ```no_run
/// use pseud_blocking::{Server, Threads};
///
/// # fn main() -> std::io::Result<()> {
/// let one_at_a_time = Threads::new(1)?;
/// let server = one_at_a_time.enter(|| Server::new("service"))?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Threads(Arc<ThreadsOwner>);

/// Ends the threads when the last handle goes.
#[derive(Debug)]
struct ThreadsOwner(Arc<Reactor>);

impl Drop for ThreadsOwner {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl Threads {
    /// Threads of which so many run handlers at the same time (1 at least); further requests wait for one
    /// of them, within [`Limits`](pseud_proto::Limits). They come as they are needed, and go after 10 s
    /// without work. Nodes of their own have 128. One peer may have as many running as are free beside
    /// them, so half of them where it is alone.
    ///
    /// A handler that waits for a call of its own holds its thread meanwhile: where handlers of two peers
    /// call each other, leave room for that.
    ///
    /// # Errors
    /// The system gives no thread, or no descriptors.
    pub fn new(handlers_max: usize) -> io::Result<Self> {
        Reactor::start(handlers_max).map(|reactor| Self(Arc::new(ThreadsOwner(reactor))))
    }

    /// Nodes that are made in `run` live on these threads.
    pub fn enter<T>(&self, run: impl FnOnce() -> T) -> T {
        let _entered = Entered(ENTERED.replace(Some(self.clone())));
        run()
    }

    pub(crate) fn reactor(&self) -> &Arc<Reactor> {
        &self.0.0
    }
}

struct Entered(Option<Threads>);

impl Drop for Entered {
    fn drop(&mut self) {
        drop(ENTERED.replace(self.0.take()));
    }
}

impl Runtime for Threads {
    type Stream = Stream;
    type Listener = Listener;
    type Timer = Timer;

    fn current() -> io::Result<Self> {
        match ENTERED.with_borrow(Clone::clone) {
            Some(entered) => Ok(entered),
            None => Self::new(THREADS_MAX),
        }
    }

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn spawn(&self, future: impl Future<Output: Send> + Send + 'static) {
        self.reactor().spawn(future);
    }

    fn spawn_blocking(&self, run: impl FnOnce() + Send + 'static) {
        self.reactor().spawn_blocking(Box::new(run));
    }

    fn blocking_threads_max(&self) -> usize {
        self.reactor().threads_max()
    }

    fn timer(&self, at: Instant) -> Timer {
        Timer { reactor: self.reactor().clone(), at, armed: None }
    }

    /// The system's resolver blocks, so a thread of the pool asks it.
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        if let Ok(ip) = host.parse() {
            return Ok(vec![SocketAddr::new(ip, port)]);
        }
        let (found, host) = (Arc::new(Resolution::default()), host.to_owned());
        let finder = Finder(found.clone());
        self.spawn_blocking(move || {
            finder.found((host.as_str(), port).to_socket_addrs().map(Iterator::collect));
        });
        poll_fn(|cx| found.poll(cx)).await
    }

    async fn connect(&self, to: &SocketAddress) -> io::Result<Stream> {
        connect(self.reactor(), to).await
    }

    async fn bind(&self, at: &SocketAddress, mode: Option<u32>) -> io::Result<Listener> {
        Listener::bind(self.reactor(), at, mode)
    }
}

type Addresses = io::Result<Vec<SocketAddr>>;

/// What the resolver said, for who waits for it.
#[derive(Default)]
struct Resolution(Mutex<(Option<Addresses>, Option<Waker>)>);

impl Resolution {
    fn poll(&self, cx: &mut Context<'_>) -> Poll<Addresses> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.0.take() {
            Some(found) => Poll::Ready(found),
            None => {
                state.1 = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// Says it, also where nobody is asked.
struct Finder(Arc<Resolution>);

impl Finder {
    fn found(&self, found: Addresses) {
        let mut state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.0.get_or_insert(found);
        let waker = state.1.take();
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }
}

impl Drop for Finder {
    fn drop(&mut self) {
        self.found(Err(io::Error::other("no thread could ask for that name")));
    }
}

/// One sleep.
#[derive(Debug)]
pub struct Timer {
    reactor: Arc<Reactor>,
    at: Instant,
    /// What the reactor was asked for, and on whose behalf.
    armed: Option<(TimerKey, Waker)>,
}

impl Timer {
    fn disarm(&mut self) {
        if let Some((key, _)) = self.armed.take() {
            self.reactor.remove_timer(key);
        }
    }
}

impl adapter::Timer for Timer {
    fn reset(&mut self, at: Instant) {
        self.disarm();
        self.at = at;
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.at <= Instant::now() {
            self.disarm();
            return Poll::Ready(());
        }
        if !self.armed.as_ref().is_some_and(|(_, waker)| waker.will_wake(cx.waker())) {
            self.disarm();
            let waker = cx.waker().clone();
            self.armed = Some((self.reactor.add_timer(self.at, waker.clone()), waker));
        }
        Poll::Pending
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.disarm();
    }
}
