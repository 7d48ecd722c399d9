//! Waiting for what a node comes to.

use crate::engine::hub::Hub;
use crate::engine::wait_list::WaitHandle;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// See [`Node::ready`](crate::Node::ready).
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct UntilReady {
    pub(crate) hub: Arc<Hub>,
    pub(crate) place: WaitHandle,
}

impl Future for UntilReady {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(server) = &self.hub.config.server else { return Poll::Ready(()) };
        self.place.register(cx.waker());
        let mut inner = self.hub.lock();
        if inner.shut_down || inner.endpoint.peer_named(server).is_some() {
            return Poll::Ready(());
        }
        inner.joining.join(&self.place);
        Poll::Pending
    }
}

/// See [`Node::drained`](crate::Node::drained). Cancel-safe.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Drained {
    pub(crate) hub: Arc<Hub>,
    pub(crate) place: WaitHandle,
}

impl Future for Drained {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.place.register(cx.waker());
        let mut inner = self.hub.lock();
        if inner.shut_down || inner.is_idle(&self.hub.running) {
            return Poll::Ready(());
        }
        inner.idling.join(&self.place);
        Poll::Pending
    }
}
