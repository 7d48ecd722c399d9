//! Waiting for what a node comes to.

use crate::engine::hub::Hub;
use crate::engine::wait_list::WaitHandle;
use pseud_proto::To;
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
        if self.hub.config.server.is_none() {
            return Poll::Ready(());
        }
        self.place.register(cx.waker());
        let mut inner = self.hub.lock();
        if inner.shut_down || inner.directory.session_of(&To::Server).is_some() {
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
        match self.hub.is_idle_or_wait(&self.place) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}
