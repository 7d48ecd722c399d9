//! The sockets of a node: those that listen end with it, those of links are waited for.

use super::wait_list::{WaitHandle, WaitList};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// How long a link that is closed may take to be read to its end by its peer.
const FAREWELL: Duration = Duration::from_secs(1);

/// A socket that listens.
pub trait Listening: Send + Sync {
    /// Closes the socket: when it returns, its address is free. Harmless the second time.
    fn close(&self);
}

/// All sockets of a node.
#[derive(Default)]
pub(crate) struct Sockets(Mutex<SocketTable>);

#[derive(Default)]
struct SocketTable {
    listening: Vec<Weak<dyn Listening>>,
    /// Links whose sockets are not closed.
    open: usize,
    closed: WaitList,
    /// Whether a peer had not read everything when its link's time was over.
    cut_short: bool,
    /// By when links must be closed, where the node was drained.
    until: Option<Instant>,
}

impl fmt::Debug for Sockets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sockets").field("open", &self.lock().open).finish_non_exhaustive()
    }
}

impl Sockets {
    fn lock(&self) -> MutexGuard<'_, SocketTable> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes what listens. Whoever comes second waits for whoever came first, inside `close`.
    pub(crate) fn close_listening(&self) {
        let listening: Vec<_> = self.lock().listening.iter().filter_map(Weak::upgrade).collect();
        listening.iter().for_each(|socket| socket.close());
    }

    /// That socket listens until it is dropped, or all are closed.
    pub(crate) fn listen(&self, socket: &Arc<impl Listening + 'static>) {
        let weak = Arc::downgrade(socket);
        let mut state = self.lock();
        state.listening.retain(|known| known.strong_count() > 0);
        state.listening.push(weak);
    }

    /// Links that end from now on have until then to be read to their ends.
    pub(crate) fn close_by(&self, until: Instant) {
        self.lock().until = Some(until);
    }

    /// A link's socket is open until that is dropped.
    pub(crate) fn open(this: &Arc<Self>) -> OpenSocket {
        this.lock().open += 1;
        OpenSocket(this.clone())
    }
}

/// A link's socket that is not closed yet.
#[derive(Debug)]
#[must_use = "it counts as closed once dropped"]
pub struct OpenSocket(Arc<Sockets>);

impl OpenSocket {
    /// Another one of the same node's.
    pub(crate) fn another(&self) -> Self {
        Sockets::open(&self.0)
    }

    /// By when the socket must be closed, if its link ends now.
    pub(crate) fn farewell(&self, now: Instant) -> Instant {
        self.0.lock().until.unwrap_or_else(|| now + FAREWELL)
    }

    /// That time was over before the peer had read to the end.
    pub(crate) fn cut_short(&self) {
        self.0.lock().cut_short = true;
    }
}

impl Drop for OpenSocket {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.open -= 1;
        let waiting = if state.open == 0 { state.closed.leave() } else { Vec::new() };
        drop(state);
        waiting.iter().for_each(|waker| waker.wake());
    }
}

/// Until all links' sockets are closed: whether every peer had read to the end, or had left by itself.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct SocketsClosed {
    sockets: Arc<Sockets>,
    place: WaitHandle,
}

impl SocketsClosed {
    pub(crate) fn new(sockets: Arc<Sockets>) -> Self {
        Self { sockets, place: WaitHandle::default() }
    }
}

impl Future for SocketsClosed {
    type Output = bool;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<bool> {
        self.place.register(cx.waker());
        let mut state = self.sockets.lock();
        if state.open == 0 {
            return Poll::Ready(!state.cut_short);
        }
        state.closed.join(&self.place);
        Poll::Pending
    }
}
