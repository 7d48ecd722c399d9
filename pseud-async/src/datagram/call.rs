//! A call to an address: a future of a typed result.

use super::shared::SharedSocket;
use crate::call::error::CallError;
use pseud_proto::rpcudp::{CallOptions, Outcome, arguments};
use pseud_proto::value::Value;
use pseud_proto::{CallId, CallRefused, Reason};
use serde::Serialize;
use serde::de::DeserializeOwned;
use smol_str::SmolStr;
use std::fmt;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

/// A call: a future of its result, sent when it is first polled.
///
/// This wire tells no errors: where nobody answers (nobody is there, nothing is served of that name, the
/// handler failed, a datagram was lost) it ends as [`CallError::Unknown`] with
/// [`Reason::TimedOut`], by default after 5 seconds. Cancel-safe in the plain sense: dropping it gives the
/// call up, and a late answer is dropped.
#[must_use = "a call is sent when it is awaited"]
pub struct Call<T, A> {
    shared: Arc<SharedSocket>,
    to: SocketAddr,
    name: SmolStr,
    arguments: Option<A>,
    options: CallOptions,
    pending: Option<PendingDatagram>,
    result: PhantomData<fn() -> T>,
}

impl<T, A> Unpin for Call<T, A> {}

impl<T, A> fmt::Debug for Call<T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("to", &self.to).field("name", &self.name).finish()
    }
}

impl<T, A> Call<T, A> {
    pub(crate) fn new(shared: Arc<SharedSocket>, to: SocketAddr, name: SmolStr, args: A) -> Self {
        let (options, result) = (CallOptions::default(), PhantomData);
        Self { shared, to, name, arguments: Some(args), options, pending: None, result }
    }

    /// Waits that long for the answer at most, instead of the endpoint's time-out (default 5 s).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// Sends the datagram again whenever that long no answer has come, until the time-out; at least 1 ms.
    /// Only for methods that may run twice: Python's `rpcudp` runs each, an endpoint of this library the
    /// first, whose answer it repeats.
    pub fn resend_every(mut self, interval: Duration) -> Self {
        self.options.resend_every = Some(interval);
        self
    }
}

impl<T, A: Serialize> Call<T, A> {
    /// As Python's `rpcudp` has it: whether an answer came, and the answer or nil. Never an error.
    pub async fn answered(mut self) -> (bool, Value) {
        let outcome = poll_fn(|cx| self.poll_outcome(cx)).await;
        outcome.map_or((false, Value::Nil), Outcome::into_pair)
    }

    fn poll_outcome(&mut self, cx: &mut Context<'_>) -> Poll<Result<Outcome, CallRefused>> {
        if let Some(args) = self.arguments.take() {
            self.pending = Some(self.send(&args, cx.waker())?);
        }
        let Some(pending) = &mut self.pending else {
            return Poll::Ready(Ok(Outcome::Unknown(Reason::Cancelled)));
        };
        let outcome = ready!(pending.poll(cx));
        self.pending = None;
        Poll::Ready(Ok(outcome))
    }

    /// Encoded here, in the caller's task, under no lock.
    fn send(&self, args: &A, waker: &Waker) -> Result<PendingDatagram, CallRefused> {
        let packed =
            arguments(args).map_err(|error| CallRefused::Arguments(error.to_string().into()))?;
        let call = self.shared.call(self.to, &self.name, &packed, &self.options, waker)?;
        Ok(PendingDatagram { shared: self.shared.clone(), call, done: false })
    }
}

impl<T: DeserializeOwned, A: Serialize> Future for Call<T, A> {
    type Output = Result<T, CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(match ready!(self.poll_outcome(cx))? {
            Outcome::Value(result) => {
                result.decode().map_err(|error| CallError::Result(error.to_string()))
            }
            Outcome::NotExecuted(reason) => Err(CallError::NotExecuted(reason)),
            Outcome::Closed { executed } => Err(CallError::Closed { executed }),
            Outcome::Unknown(reason) => Err(CallError::Unknown(reason)),
            _ => Err(CallError::Unknown(Reason::Refused)),
        })
    }
}

/// A call on its way. Dropping it gives it up.
#[derive(Debug)]
struct PendingDatagram {
    shared: Arc<SharedSocket>,
    call: CallId,
    done: bool,
}

impl PendingDatagram {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Outcome> {
        match self.shared.take_outcome(self.call, cx.waker()) {
            Some(outcome) => {
                self.done = true;
                Poll::Ready(outcome)
            }
            None => Poll::Pending,
        }
    }
}

impl Drop for PendingDatagram {
    fn drop(&mut self) {
        if !self.done {
            self.shared.give_up(self.call);
        }
    }
}
