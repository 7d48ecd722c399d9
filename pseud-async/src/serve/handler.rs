//! Handlers: what runs when a peer calls a name.

use crate::serve::caller::Wire;
use crate::serve::request::Request;
use pseud_proto::Fault;
use pseud_proto::value::Packed;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;

pub(crate) type HandlerResult = Result<Packed, Fault>;
pub(crate) type Answering = Pin<Box<dyn Future<Output = HandlerResult> + Send>>;

/// A plain function as a handler.
pub(crate) type Plain = Arc<dyn Fn(Request) -> HandlerResult + Send + Sync>;

/// A registered handler.
#[derive(Clone)]
pub(crate) enum Handler {
    /// Polled once where its request arrives, and spawned if it is not ready.
    Async(Arc<dyn Fn(Request) -> Answering + Send + Sync>),
    /// Runs where its request arrives.
    Inline(Plain),
    /// Runs on a thread that may block.
    Blocking(Plain),
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Async(_) => "Async",
            Self::Inline(_) => "Inline",
            Self::Blocking(_) => "Blocking",
        })
    }
}

/// What a handler may fail with: a [`Fault`], or anything that becomes one.
///
/// ```
/// use pseud_proto::{Exception, Fault};
///
/// enum Sale {
///     SoldOut,
///     NoSuchSeat(u32),
/// }
///
/// impl From<Sale> for Fault {
///     fn from(error: Sale) -> Self {
///         match error {
///             Sale::SoldOut => Self::new("SoldOut", "no seats are left"),
///             Sale::NoSuchSeat(seat) => Self::new(Exception::LookupError, seat.to_string()),
///         }
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let registry = pseud_async::Registry::new();
/// registry.register_typed("sell", |(seat,): (u32,), _| async move {
///     match seat {
///         0..100 => Err::<u32, _>(Sale::SoldOut),
///         _ => Err(Sale::NoSuchSeat(seat)),
///     }
/// })?;
/// # Ok(()) }
/// ```
pub trait HandlerError {
    /// The fault that the caller is told.
    fn into_fault(self) -> Fault;
}

impl<E: Into<Fault>> HandlerError for E {
    fn into_fault(self) -> Fault {
        self.into()
    }
}

impl Handler {
    pub(crate) fn from_async<F, Fut, T, E>(handler: F) -> Self
    where
        F: Fn(Request) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Serialize,
        E: HandlerError,
    {
        Self::Async(Arc::new(move |request| {
            let wire = request.caller.wire();
            let answering = handler(request);
            Box::pin(async move { encode(answering.await, wire) })
        }))
    }

    pub(crate) fn from_typed<A, F, Fut, T, E>(handler: F) -> Self
    where
        A: DeserializeOwned,
        F: Fn(A, Request) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Serialize,
        E: HandlerError,
    {
        Self::Async(Arc::new(move |request| match request.bind() {
            Ok(args) => {
                let wire = request.caller.wire();
                let answering = handler(args, request);
                Box::pin(async move { encode(answering.await, wire) })
            }
            Err(bad) => Box::pin(ready(Err(bad.into()))),
        }))
    }

    pub(crate) fn from_fn<F, T, E>(handler: F, kind: fn(Plain) -> Self) -> Self
    where
        F: Fn(Request) -> Result<T, E> + Send + Sync + 'static,
        T: Serialize,
        E: HandlerError,
    {
        kind(Arc::new(move |request| {
            let wire = request.caller.wire();
            encode(handler(request), wire)
        }))
    }
}

/// Encoded here, in the handler's task, before any lock is taken.
#[inline]
fn encode<T: Serialize, E: HandlerError>(result: Result<T, E>, wire: Wire) -> HandlerResult {
    let value = result.map_err(HandlerError::into_fault)?;
    let packed = match wire {
        Wire::Pseud | Wire::Kaa => Packed::result(&value),
        #[cfg(feature = "rpcudp")]
        Wire::Rpcudp => pseud_proto::rpcudp::result(&value),
        #[cfg(not(feature = "rpcudp"))]
        Wire::Rpcudp => Packed::result(&value),
    };
    packed.map_err(|error| Fault::new("TypeError", error.to_string()))
}
