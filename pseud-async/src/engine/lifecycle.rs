//! How a hub ends, and who waits for that.

use super::hub::Hub;
use super::sockets::{Listening, OpenSocket, Sockets, SocketsClosed};
use super::wait_list::{WaitHandle, WaitList};
use pseud_proto::{Parting, PeerError, Reason};
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

    /// Waits for that: for loops that accept or dial.
    pub(crate) fn shut_down(self: &Arc<Self>) -> ShutDown {
        ShutDown { hub: self.clone(), place: WaitHandle::default() }
    }

    /// Ends everything: calls end as `Closed`, links close. What
    /// listened does so no more when this returns.
    pub(crate) fn shutdown(&self) {
        self.report_last();
        let ((waiting, strangers), effects) = self.with(|inner, now| {
            inner.shut_down = true;
            inner.endpoint.shutdown(now);
            let crowds = [&mut inner.joining, &mut inner.ending, &mut inner.idling];
            let waiting: Vec<_> = crowds.into_iter().flat_map(WaitList::leave).collect();
            ((waiting, inner.watchers.wake_all()), std::mem::take(&mut inner.strangers))
        });
        self.sockets.close_listening();
        self.perform(effects, None);
        let (waiting, watching) = waiting;
        waiting.iter().for_each(|waker| waker.wake());
        watching.into_iter().for_each(Waker::wake);
        strangers.into_iter().for_each(|(_, stranger)| stranger.link.close(Reason::Shutdown));
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

    /// Ends a user's sessions, and bars those who were admitted as that user before.
    pub(crate) fn disconnect_user(&self, user: &[u8], why: Parting) -> usize {
        self.act(|inner, now| {
            if !user.is_empty() {
                inner.strangers.iter_mut().for_each(|(_, stranger)| stranger.bar(user));
            }
            inner.endpoint.disconnect_user_as(user, PeerError::SentAway(why).into(), now)
        })
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
        let mut inner = self.hub.lock();
        if inner.shut_down {
            return Poll::Ready(());
        }
        inner.ending.join(&self.place);
        Poll::Pending
    }
}
