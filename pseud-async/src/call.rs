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
use smol_str::SmolStr;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// Why a call has no result.
///
/// [`is_retry_safe`](Self::is_retry_safe) says whether trying again cannot run it twice, and so does
/// the text of each.
///
/// ```no_run
/// use pseud_async::{CallError, Node};
/// use pseud_proto::Exception;
///
/// # async fn run(client: Node) -> Result<(), CallError> {
/// let seat: Option<u32> = match client.call("tickets.buy", ("A", 7)).await {
///     Ok(seat) => Some(seat),
///     Err(error) if error.is_retry_safe() => client.call("tickets.buy", ("A", 7)).await?,
///     Err(CallError::Fault(fault)) if fault.exception() == Some(Exception::LookupError) => None,
///     Err(error) => return Err(error),
/// };
/// # Ok(()) }
/// ```
///
/// In a handler `?` makes a [`Fault`] of it: what the far handler raised passes on, all else says that a
/// nested call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The far handler raised this exception. A v1 peer answers so as well where it ran none: it serves
    /// nothing of that name ([`is_service_not_found`](Self::is_service_not_found)), or had no room.
    #[error("the peer raised {0}")]
    Fault(Fault),
    /// It never reached the far handler, or its side refused to run that
    /// ([`Reason::NoSuchService`], [`Reason::TooBusy`], …). [`Reason::NotConnected`]: no link was ready to
    /// a peer of that name in time; [`Node::events`](crate::Node::events) tell whether nobody listens
    /// there, or somebody of another name.
    #[error("not executed: {0} (a retry is safe)")]
    NotExecuted(Reason),
    /// It left, and no (usable) answer came: the far handler may have run.
    #[error("outcome unknown: {0} (it may have run: a retry may run it twice)")]
    Unknown(Reason),
    /// This side shut down.
    #[error("this side shut down; {}", left(*executed))]
    Closed {
        /// Whether the call had left.
        executed: Executed,
    },
    /// A local limit or mistake: nothing was sent.
    #[error("the call was refused, nothing was sent: {0}")]
    Refused(#[from] CallRefused),
    /// The far handler ran, but its result is of another type than the one asked for.
    #[error("it ran, but its result is not of the type that was asked for: {0}")]
    Result(String),
}

fn left(executed: Executed) -> &'static str {
    match executed {
        Executed::No => "the call had not left, it did not run",
        Executed::Maybe => "the call had left, it may have run",
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

    /// What the far side raised, if that is why.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Fault(fault) => Some(fault),
            _ => None,
        }
    }

    /// Why there is no answer, if none came: [`Reason::Shutdown`] where this side shut down. `None`
    /// where the far side answered, and where the call was refused here.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::NotExecuted(reason) | Self::Unknown(reason) => Some(*reason),
            Self::Closed { .. } => Some(Reason::Shutdown),
            Self::Fault(_) | Self::Refused(_) | Self::Result(_) => None,
        }
    }
}

/// A call: a future of its result, sent when it is first polled.
///
/// Cancel-safe in the plain sense: dropping it gives the call up. What was not written yet never
/// leaves; a late answer is dropped.
#[must_use = "a call is sent when it is awaited"]
pub struct Call<T, A, K = ()> {
    hub: Arc<Hub>,
    to: To,
    name: SmolStr,
    arguments: Option<(A, K)>,
    options: CallOptions,
    pending: Option<Pending>,
    result: PhantomData<fn() -> T>,
}

impl<T, A, K> Unpin for Call<T, A, K> {}

impl<T, A, K> fmt::Debug for Call<T, A, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("to", &self.to).field("name", &self.name).finish()
    }
}

impl<T, A> Call<T, A> {
    pub(crate) fn new(hub: Arc<Hub>, to: To, name: SmolStr, args: A) -> Self {
        let arguments = Some((args, ()));
        let (options, pending, result) = (CallOptions::default(), None, PhantomData);
        Self { hub, to, name, arguments, options, pending, result }
    }

    /// The same with keyword arguments: a struct or a map with text keys; anything else is
    /// [`CallError::Refused`].
    pub fn kwargs<K: Serialize>(self, kwargs: K) -> Call<T, A, K> {
        let Self { hub, to, name, arguments, options, pending, result } = self;
        let arguments = arguments.map(|(args, ())| (args, kwargs));
        Call { hub, to, name, arguments, options, pending, result }
    }
}

impl<T, A, K> Call<T, A, K> {
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

    pub(crate) fn after(self, caller: &Caller) -> Self {
        self.hops(caller.hops().saturating_add(1))
    }

    pub(crate) fn hops(mut self, hops: u32) -> Self {
        self.options.hops = hops;
        self
    }
}

impl<T, A, K> Future for Call<T, A, K>
where
    T: DeserializeOwned,
    A: Serialize,
    K: Serialize,
{
    type Output = Result<T, CallError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if let Some((args, kwargs)) = this.arguments.take() {
            let packed = encode(&args, &kwargs)?;
            let call = this.hub.call(this.to.clone(), &this.name, packed, this.options.clone())?;
            this.pending = Some(call);
        }
        let Some(pending) = &mut this.pending else {
            return Poll::Ready(Err(CallError::Unknown(Reason::Cancelled)));
        };
        let outcome = ready!(Pin::new(pending).poll(cx));
        this.pending = None;
        Poll::Ready(decode(&this.hub, outcome))
    }
}

/// Encoded here, in the caller's task, under no lock.
pub(crate) fn encode<A, K>(args: &A, kwargs: &K) -> Result<Packed, CallRefused>
where
    A: Serialize,
    K: Serialize,
{
    Packed::call(args, kwargs).map_err(|error| CallRefused::Arguments(error.to_string().into()))
}

pub(crate) fn decode<T: DeserializeOwned>(hub: &Hub, outcome: Outcome) -> Result<T, CallError> {
    match outcome {
        Outcome::Value(body) => decode_value(hub, body),
        Outcome::Fault(fault) => Err(CallError::Fault(fault)),
        Outcome::NotExecuted(reason) => Err(CallError::NotExecuted(reason)),
        Outcome::Unknown(reason) => Err(CallError::Unknown(reason)),
        Outcome::Closed { executed } => Err(CallError::Closed { executed }),
    }
}

/// Checked and decoded here, in the caller's task, under no lock.
fn decode_value<T: DeserializeOwned>(hub: &Hub, body: Unchecked) -> Result<T, CallError> {
    let packed = body.check(&hub.value_limits).map_err(|bad| {
        tracing::warn!(%bad, "a reply is not well-formed");
        CallError::Unknown(Reason::BadReply)
    })?;
    packed.decode().map_err(|error| CallError::Result(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_says_what_happened_and_whether_it_may_have_run() {
        for (error, text) in [
            (CallError::Fault(Fault::new("KeyError", "a\nb")), "the peer raised KeyError: a\\nb"),
            (
                CallError::NotExecuted(Reason::NotConnected),
                "not executed: not connected (a retry is safe)",
            ),
            (
                CallError::Unknown(Reason::TimedOut),
                "outcome unknown: timed out (it may have run: a retry may run it twice)",
            ),
            (
                CallError::Closed { executed: Executed::Maybe },
                "this side shut down; the call had left, it may have run",
            ),
            (
                CallError::Refused(CallRefused::NoServer),
                "the call was refused, nothing was sent: no server is configured: name the peer to call",
            ),
            (
                CallError::Result("expected a string, found int".to_owned()),
                "it ran, but its result is not of the type that was asked for: \
                 expected a string, found int",
            ),
        ] {
            assert_eq!(error.to_string(), text);
        }
    }

    #[test]
    fn the_cause_is_there_without_a_match() {
        let fault = Fault::new("KeyError", "x");
        let error = CallError::Fault(fault.clone());
        assert_eq!((error.fault(), error.reason()), (Some(&fault), None));
        for error in
            [CallError::NotExecuted(Reason::TimedOut), CallError::Unknown(Reason::TimedOut)]
        {
            assert_eq!((error.fault(), error.reason()), (None, Some(Reason::TimedOut)));
        }
        let closed = CallError::Closed { executed: Executed::No };
        assert_eq!(closed.reason(), Some(Reason::Shutdown));
        assert_eq!(CallError::from(CallRefused::NoServer).reason(), None);
    }
}
