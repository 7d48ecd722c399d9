//! The signal to a handler that nobody waits for its answer any more.

use crate::engine::seat::Seat;
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
    seat: Arc<Seat>,
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
    pub(crate) fn new(seat: Arc<Seat>, request: impl Into<Option<RequestId>>) -> Self {
        Self { seat, request: request.into(), place: WaitHandle::default() }
    }

    /// The same as a question, for handlers that compute.
    pub fn is_cancelled(&self) -> bool {
        match self.request {
            Some(request) => self.seat.look(|session| !session.is_awaited(request)),
            None => self.seat.hub.is_shut_down(),
        }
    }
}

impl Future for Cancelled {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.place.register(cx.waker());
        let waits = match self.request {
            Some(request) => self.seat.wait_for_cancel(request, &self.place),
            None => self.seat.hub.wait_for_end(&self.place),
        };
        match waits {
            true => Poll::Pending,
            false => Poll::Ready(()),
        }
    }
}
