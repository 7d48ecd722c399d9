//! The signal to a handler that nobody waits for its answer any more.

use crate::engine::hub::Hub;
use crate::engine::state::Inner;
use crate::engine::wait_list::WaitHandle;
use pseud_proto::RequestId;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A future that is ready once the caller is gone (or the request is answered): its link ended, or
/// this node shut down. Costs nothing until it is polled. Cancel-safe.
///
/// ```no_run
/// use pseud::{Fault, Request};
///
/// /// Goes on for as long as somebody waits for it.
/// async fn watch(request: Request) -> Result<(), Fault> {
///     request.cancelled().await;
///     Ok(())
/// }
/// ```
#[derive(Clone)]
#[must_use = "futures do nothing unless awaited"]
pub struct Cancelled {
    hub: Arc<Hub>,
    /// `None`: of a datagram, whose sender's end nobody knows.
    request: Option<RequestId>,
    place: WaitHandle,
}

impl fmt::Debug for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cancelled").field(&self.request).finish()
    }
}

impl Cancelled {
    pub(crate) fn new(hub: Arc<Hub>, request: impl Into<Option<RequestId>>) -> Self {
        Self { hub, request: request.into(), place: WaitHandle::default() }
    }

    /// The same as a question, for handlers that compute.
    pub fn is_cancelled(&self) -> bool {
        is_over(&self.hub.lock(), self.request)
    }
}

fn is_over(inner: &Inner, request: Option<RequestId>) -> bool {
    match request {
        Some(request) => !inner.endpoint.is_open(request),
        None => inner.shut_down,
    }
}

impl Future for Cancelled {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.place.register(cx.waker());
        let mut inner = self.hub.lock();
        if is_over(&inner, self.request) {
            return Poll::Ready(());
        }
        let wait_list = match self.request {
            Some(request) => inner.cancelling.entry(request).or_default(),
            None => &mut inner.ending,
        };
        wait_list.join(&self.place);
        Poll::Pending
    }
}
