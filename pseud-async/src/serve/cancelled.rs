//! The signal to a handler that nobody waits for its answer any more.

#[cfg(feature = "rpcudp")]
use crate::datagram::shared::SharedSocket;
use crate::engine::seat::Seat;
use crate::engine::wait_list::WaitHandle;
use pseud_proto::RequestId;
#[cfg(feature = "rpcudp")]
use pseud_proto::rpcudp::TicketId;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A future that is ready once the caller is gone (or the request is answered): its link ended, or
/// this node shut down; of a datagram, once it has waited for its endpoint's `request_timeout`. Costs nothing until it is polled. Cancel-safe.
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
    awaited: CancelledRequest,
    place: WaitHandle,
}

/// A request that somebody waits for.
#[derive(Clone)]
enum CancelledRequest {
    Session(Arc<Seat>, RequestId),
    #[cfg(feature = "rpcudp")]
    Datagram(Arc<SharedSocket>, TicketId),
}

impl fmt::Debug for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.awaited {
            CancelledRequest::Session(_, request) => {
                f.debug_tuple("Cancelled").field(request).finish()
            }
            #[cfg(feature = "rpcudp")]
            CancelledRequest::Datagram(_, ticket) => {
                f.debug_tuple("Cancelled").field(ticket).finish()
            }
        }
    }
}

impl Cancelled {
    pub(crate) fn new(seat: Arc<Seat>, request: RequestId) -> Self {
        Self { awaited: CancelledRequest::Session(seat, request), place: WaitHandle::default() }
    }

    #[cfg(feature = "rpcudp")]
    pub(crate) fn of_datagram(socket: Arc<SharedSocket>, ticket: TicketId) -> Self {
        Self { awaited: CancelledRequest::Datagram(socket, ticket), place: WaitHandle::default() }
    }

    /// The same as a question, for handlers that compute.
    pub fn is_cancelled(&self) -> bool {
        match &self.awaited {
            CancelledRequest::Session(seat, request) => {
                seat.look(|session| !session.is_awaited(*request))
            }
            #[cfg(feature = "rpcudp")]
            CancelledRequest::Datagram(socket, ticket) => !socket.lock().is_awaited(*ticket),
        }
    }
}

impl Future for Cancelled {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.place.register(cx.waker());
        let waits = match &self.awaited {
            CancelledRequest::Session(seat, request) => seat.wait_for_cancel(*request, &self.place),
            #[cfg(feature = "rpcudp")]
            CancelledRequest::Datagram(socket, ticket) => {
                socket.wait_for_cancel(*ticket, &self.place)
            }
        };
        match waits {
            true => Poll::Pending,
            false => Poll::Ready(()),
        }
    }
}
