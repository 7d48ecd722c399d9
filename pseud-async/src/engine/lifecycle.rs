//! How a hub ends, and who waits for that.

use super::hub::Hub;
use super::seat::Seat;
use super::sockets::{Listening, OpenSocket, Sockets, SocketsClosed};
use super::wait_list::{WaitHandle, WaitList};
use pseud_proto::Reason;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

impl Hub {
    /// Whether [`Node::shutdown`](crate::Node::shutdown) was called, or the last handle dropped.
    pub(crate) fn is_shut_down(&self) -> bool {
        self.lock().shut_down
    }

    /// Lets somebody wait for that; `false` where it was.
    pub(crate) fn wait_for_end(&self, place: &WaitHandle) -> bool {
        let mut inner = self.lock();
        let waits = !inner.shut_down;
        if waits {
            inner.ending.join(place);
        }
        waits
    }

    /// Waits for that: for loops that accept or dial.
    pub(crate) fn shut_down(self: &Arc<Self>) -> ShutDown {
        ShutDown { hub: self.clone(), place: WaitHandle::default() }
    }

    /// Ends everything: calls end as `Closed`, links close. What
    /// listened does so no more when this returns.
    pub(crate) fn shutdown(&self) {
        self.report_last();
        let mut guard = self.lock();
        let inner = &mut *guard;
        inner.shut_down = true;
        let parked = inner.directory.shutdown();
        let parked = inner.waiting(parked);
        let seats: Vec<Arc<Seat>> = inner.seats().cloned().collect();
        let crowds = [&mut inner.joining, &mut inner.ending, &mut inner.idling];
        let waiting: Vec<_> = crowds.into_iter().flat_map(WaitList::leave).collect();
        let strangers = std::mem::take(&mut inner.strangers);
        self.changed();
        drop(guard);
        self.sockets.close_listening();
        for seat in seats {
            seat.end(Reason::Shutdown);
        }
        let shut_down = |waiting| (waiting, Reason::Shutdown);
        self.not_executed(parked.into_iter().map(shut_down).collect());
        waiting.iter().for_each(|waker| waker.wake());
        // All that there is to tell was told before.
        let mut inner = self.lock();
        inner.all_told = true;
        let watching = inner.watchers.wake_all();
        drop(inner);
        watching.into_iter().for_each(Waker::wake);
        strangers.into_links().for_each(|stranger| stranger.link.close(Reason::Shutdown));
        self.timer.wake();
        if let Some(hooks) = self.hooks.get() {
            hooks.stopped();
        }
    }

    /// The same; links have until then to be read to their ends, instead of a second.
    pub(crate) fn shutdown_by(&self, until: Instant) {
        self.sockets.close_by(until);
        self.shutdown();
    }

    /// That socket listens until the node ends, or is dropped before. `false`: the node has ended, and
    /// the socket is closed.
    pub(crate) fn listen(&self, socket: &Arc<impl Listening + 'static>) -> bool {
        self.sockets.listen(socket);
        // In this order: a shutdown that did not find the socket is seen here.
        let ended = self.is_shut_down();
        if ended {
            socket.close();
        }
        !ended
    }

    /// A link's socket is open until that is dropped.
    pub(crate) fn open_socket(&self) -> OpenSocket {
        Sockets::open(&self.sockets)
    }

    /// Waits until all links' sockets are closed: for who wants to leave then. Cancel-safe.
    pub(crate) fn sockets_closed(&self) -> SocketsClosed {
        SocketsClosed::new(self.sockets.clone())
    }
}

/// See [`Hub::shut_down`]. Cancel-safe.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub(crate) struct ShutDown {
    hub: Arc<Hub>,
    place: WaitHandle,
}

impl Future for ShutDown {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.place.register(cx.waker());
        match self.hub.wait_for_end(&self.place) {
            true => Poll::Pending,
            false => Poll::Ready(()),
        }
    }
}
