//! What happens to links, for whoever wants to watch: a bounded stream that says what it lost.

use crate::call::peer::Peer;
use crate::engine::event::LinkEvent;
use crate::engine::hub::Hub;
use futures_core::Stream;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Something that happened to a link. See [`LinkEvent`].
pub type ConnectionEvent = LinkEvent<Peer>;

/// A stream of [`ConnectionEvent`]s, from when it was made. Dropping it is enough.
///
/// It holds 256 events; a watcher that does not keep up is told how many it missed.
///
/// ```no_run
/// use pseud::{ConnectionEvent, Server};
///
/// # async fn run(server: Server) {
/// let mut events = server.events();
/// while let Some(event) = events.next().await {
///     if let ConnectionEvent::Disconnected { address, reason, .. } = event {
///         println!("{address} is gone: {reason}");
///     }
/// }
/// # }
/// ```
pub struct Events {
    hub: Arc<Hub>,
    key: usize,
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

impl Events {
    pub(crate) fn new(hub: Arc<Hub>) -> Self {
        let key = hub.lock().watchers.join();
        Self { hub, key }
    }

    /// The next event; `None` once the node has shut down. Cancel-safe.
    pub async fn next(&mut self) -> Option<ConnectionEvent> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// The next event, polled.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<ConnectionEvent>> {
        let mut inner = self.hub.lock();
        let is_over = inner.all_told;
        let (next, old) = inner.watchers.poll_next(self.key, is_over, cx);
        drop(inner);
        drop(old);
        let handle = |session, info| Peer::once(&self.hub, session, info);
        next.map(|next| next.map(|event| event.with_handle(handle)))
    }

    /// All sessions that are there now. What waits here to be told is forgotten: the next event is the first one behind this moment, so that a watcher that
    /// [lagged](ConnectionEvent::Lagged) knows again what is there.
    pub fn resync(&mut self) -> Vec<Peer> {
        let mut inner = self.hub.lock();
        let forgotten = inner.watchers.forget(self.key);
        let present = inner.sessions();
        drop(inner);
        drop(forgotten);
        Peer::all(present)
    }
}

/// Ends once the node has shut down.
impl Stream for Events {
    type Item = ConnectionEvent;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ConnectionEvent>> {
        self.get_mut().poll_next(cx)
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        let watcher = self.hub.lock().watchers.leave(self.key);
        drop(watcher);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::dial::Dial;
    use crate::runtime::tests::ByHand;
    use std::task::Waker;

    fn next(events: &mut Events) -> Poll<Option<ConnectionEvent>> {
        Stream::poll_next(Pin::new(events), &mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn events_are_a_stream_that_ends_with_the_node() {
        let hub = Arc::new(Hub::new(Arc::default(), ByHand::default()).unwrap());
        let mut events = Events::new(hub.clone());
        assert!(next(&mut events).is_pending());
        let dial = Dial::new(&hub, "somewhere");
        for _ in 0..300 {
            dial.connecting();
        }
        hub.shutdown();
        assert!(matches!(next(&mut events), Poll::Ready(Some(LinkEvent::Lagged(44)))));
        for _ in 0..256 {
            let event = next(&mut events);
            let Poll::Ready(Some(LinkEvent::Connecting { endpoint })) = event else {
                panic!("{event:?}")
            };
            assert_eq!(endpoint, "somewhere");
        }
        assert!(matches!(next(&mut events), Poll::Ready(None)));
    }
}
