//! The signal to a handler that nobody waits for its answer any more.

use crate::engine::crowd::Place;
use crate::engine::hub::Hub;
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
    request: RequestId,
    place: Place,
}

impl fmt::Debug for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cancelled").field(&self.request).finish()
    }
}

impl Cancelled {
    pub(crate) fn new(hub: Arc<Hub>, request: RequestId) -> Self {
        Self { hub, request, place: Place::default() }
    }

    /// The same as a question, for handlers that compute.
    pub fn is_cancelled(&self) -> bool {
        !self.hub.lock().endpoint.is_open(self.request)
    }
}

impl Future for Cancelled {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.place.register(cx.waker());
        let mut inner = self.hub.lock();
        if !inner.endpoint.is_open(self.request) {
            return Poll::Ready(());
        }
        inner.cancelling.entry(self.request).or_default().join(&self.place);
        Poll::Pending
    }
}
