//! A call as the application sees it: a future of a typed result.

use crate::caller::Caller;
use crate::hub::Hub;
use crate::pending::Pending;
use crate::request::Request;
use pseud_proto::{
    CallOptions, CallRefused, Executed, Fault, Outcome, Packed, Reason, To, Unchecked,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// Why a call has no result.
///
/// [`is_retry_safe`](Self::is_retry_safe) says whether trying again cannot run it twice.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The far handler raised this exception. A v1 peer answers so as well where it ran none: it serves
    /// nothing of that name ([`is_service_not_found`](Self::is_service_not_found)), or had no room.
    #[error("{0}")]
    Fault(Fault),
    /// It never reached the far handler, or its side refused to run that
    /// ([`Reason::NoSuchService`], [`Reason::TooBusy`], …). [`Reason::NotConnected`]: no link was ready to a peer of that
    /// name in time; [`Node::events`](crate::Node::events) tell whether nobody listens there, or
    /// somebody of another name.
    #[error("not executed: {0}")]
    NotExecuted(Reason),
    /// It left, and no (usable) answer came: the far handler may have run.
    #[error("outcome unknown: {0}")]
    Unknown(Reason),
    /// This side shut down.
    #[error("this side shut down; {}", left(*executed))]
    Closed {
        /// Whether the call had left.
        executed: Executed,
    },
    /// A local limit or mistake: nothing was sent.
    #[error("the call was refused: {0}")]
    Refused(#[from] CallRefused),
    /// The far handler ran, but its result is of another type than the one asked for.
    #[error("the result has another type: {0}")]
    Result(String),
}

fn left(executed: Executed) -> &'static str {
    match executed {
        Executed::No => "the call had not left",
        Executed::Maybe => "the call had left",
    }
}

impl CallError {
    /// Whether the far side serves nothing of that name, or not to us; whether that comes as an outcome
    /// of its own or, from a v1 peer, as a fault: such a peer's handler may have raised it.
    pub fn is_service_not_found(&self) -> bool {
        match self {
            Self::Fault(fault) => fault.is_service_not_found(),
            Self::NotExecuted(reason) => *reason == Reason::NoSuchService,
            _ => false,
        }
    }

    /// Whether the far handler certainly did not run.
    pub fn is_retry_safe(&self) -> bool {
        match self {
            Self::NotExecuted(_) | Self::Refused(_) | Self::Closed { executed: Executed::No } => {
                true
            }
            Self::Fault(_) | Self::Unknown(_) | Self::Closed { .. } | Self::Result(_) => false,
        }
    }
}

/// A call: a future of its result, sent when it is first polled.
///
/// Cancel-safe in the plain sense: dropping it gives the call up. What was not written yet never
/// leaves; a late answer is dropped.
#[must_use = "a call is sent when it is awaited"]
pub struct Call<'a, T, A, K = ()> {
    hub: Arc<Hub>,
    to: To,
    name: &'a str,
    arguments: Option<(A, K)>,
    options: CallOptions,
    pending: Option<Pending>,
    result: PhantomData<fn() -> T>,
}

impl<T, A, K> Unpin for Call<'_, T, A, K> {}

impl<T, A, K> fmt::Debug for Call<'_, T, A, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("to", &self.to).field("name", &self.name).finish()
    }
}

impl<'a, T, A> Call<'a, T, A> {
    pub(crate) fn new(hub: Arc<Hub>, to: To, name: &'a str, args: A) -> Self {
        let arguments = Some((args, ()));
        let (options, pending, result) = (CallOptions::default(), None, PhantomData);
        Self { hub, to, name, arguments, options, pending, result }
    }

    /// The same with keyword arguments: a struct or a map with text keys; anything else is
    /// [`CallError::Refused`].
    pub fn kwargs<K: Serialize>(self, kwargs: K) -> Call<'a, T, A, K> {
        let Self { hub, to, name, arguments, options, pending, result } = self;
        let arguments = arguments.map(|(args, ())| (args, kwargs));
        Call { hub, to, name, arguments, options, pending, result }
    }
}

impl<T, A, K> Call<'_, T, A, K> {
    /// Waits that long for the answer at most, instead of the node's time-out (default 5 s). Over 1 h is
    /// cut to 1 h. Zero gives up at once, and may still send the call.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// Makes it as a part of serving that request: one hop further than it, so that a circle of peers
    /// that call each other ends.
    pub fn within(self, request: &Request) -> Self {
        self.after(request.caller())
    }

    /// The same, and in the name of that request's [user](Request::user): for gateways. The peer
    /// believes it if it gave us [`User::FORWARD`](pseud_proto::User::FORWARD), and else refuses it
    /// ([`Reason::Unauthorized`]); a v1 peer, which would run it with our own rights, is not sent it
    /// ([`Reason::Unsupported`]).
    pub fn on_behalf_of(self, request: &Request) -> Self {
        let mut call = self.within(request);
        call.options.origin = Some(request.user().id().clone());
        call
    }

    pub(crate) fn after(mut self, caller: &Caller) -> Self {
        self.options.hops = caller.hops().saturating_add(1);
        self
    }
}

impl<T, A, K> Future for Call<'_, T, A, K>
where
    T: DeserializeOwned,
    A: Serialize,
    K: Serialize,
{
    type Output = Result<T, CallError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if let Some((args, kwargs)) = this.arguments.take() {
            let packed = Packed::call(&args, &kwargs)
                .map_err(|error| CallRefused::Arguments(error.to_string().into()))?;
            let call = this.hub.call(this.to.clone(), this.name, packed, this.options.clone())?;
            this.pending = Some(call);
        }
        let Some(pending) = &mut this.pending else {
            return Poll::Ready(Err(CallError::Unknown(Reason::Cancelled)));
        };
        let outcome = ready!(Pin::new(pending).poll(cx));
        this.pending = None;
        Poll::Ready(this.decode(outcome))
    }
}

impl<T: DeserializeOwned, A, K> Call<'_, T, A, K> {
    fn decode(&self, outcome: Outcome) -> Result<T, CallError> {
        match outcome {
            Outcome::Value(body) => self.decode_value(&body),
            Outcome::Fault(fault) => Err(CallError::Fault(fault)),
            Outcome::NotExecuted(reason) => Err(CallError::NotExecuted(reason)),
            Outcome::Unknown(reason) => Err(CallError::Unknown(reason)),
            Outcome::Closed { executed } => Err(CallError::Closed { executed }),
        }
    }

    /// Checked and decoded here, in the caller's task, under no lock.
    fn decode_value(&self, body: &Unchecked) -> Result<T, CallError> {
        let packed = body.clone().check(&self.hub.value_limits).map_err(|bad| {
            tracing::warn!(%bad, "a reply is not well-formed");
            CallError::Unknown(Reason::BadReply)
        })?;
        packed.decode().map_err(|error| CallError::Result(error.to_string()))
    }
}
