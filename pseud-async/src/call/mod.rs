//! A call as the application sees it: a future of a typed result.

pub(crate) mod all;
pub(crate) mod error;
pub(crate) mod nested;
pub(crate) mod peer;
pub(crate) mod pending;
pub(crate) mod route;
pub(crate) mod service;

use crate::call::error::CallError;
use crate::call::pending::{Pending, learn};
use crate::call::route::Route;
use crate::engine::hub::Hub;
use crate::engine::refusals::line::BadReply;
use bytes::Bytes;
use pseud_proto::value::{Packed, Unchecked};
use pseud_proto::{CallOptions, CallRefused, Outcome, Reason, WhenFull};
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

/// A call: a future of its result, sent when it is first polled.
///
/// Cancel-safe in the plain sense: dropping it gives the call up. What was not written yet never
/// leaves; a late answer is dropped.
///
/// ```no_run
/// use pseud::{CallError, Client};
/// use std::collections::BTreeMap;
/// use std::time::Duration;
///
/// # async fn run(client: Client) -> Result<(), CallError> {
/// let by_name = BTreeMap::from([("colour", "red")]);
/// let call = client.call("paint", (7,)).kwargs(by_name).timeout(Duration::from_secs(2));
/// match call.await {
///     Ok(()) => {}
///     Err(error) if error.is_retry_safe() => println!("nothing was painted: {error}"),
///     Err(error) => return Err(error),
/// }
/// # Ok(()) }
/// ```
#[must_use = "a call is sent when it is awaited"]
pub struct Call<T, A, K = ()> {
    route: Arc<Route>,
    name: SmolStr,
    arguments: Option<(A, K)>,
    options: CallOptions,
    pending: Option<Pending>,
    result: PhantomData<fn() -> T>,
}

impl<T, A, K> Unpin for Call<T, A, K> {}

impl<T, A, K> fmt::Debug for Call<T, A, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("to", &self.route).field("name", &self.name).finish()
    }
}

impl<T, A> Call<T, A> {
    pub(crate) fn new(route: Arc<Route>, name: SmolStr, args: A) -> Self {
        let arguments = Some((args, ()));
        let (options, pending, result) = (CallOptions::default(), None, PhantomData);
        Self { route, name, arguments, options, pending, result }
    }

    /// The same with keyword arguments: a struct or a map with text keys; anything else is
    /// [`CallError::Refused`].
    pub fn kwargs<K: Serialize>(self, kwargs: K) -> Call<T, A, K> {
        let Self { route, name, arguments, options, pending, result } = self;
        let arguments = arguments.map(|(args, ())| (args, kwargs));
        Call { route, name, arguments, options, pending, result }
    }
}

impl<T, A, K> Call<T, A, K> {
    /// Waits that long for the answer at most, instead of the node's time-out (default 5 s). Over 1 h is
    /// cut to 1 h. Zero gives up at once, and may still send the call.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// What becomes of it where there is no room: it waits, as a part of its time-out, or is refused at once.
    /// Default: as [`Options::when_full`](crate::Options::when_full) says.
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.options.when_full = Some(when_full);
        self
    }

    /// That many calls led to it.
    pub(crate) fn hops(mut self, hops: u32) -> Self {
        self.options.hops = hops;
        self
    }

    /// It is made in that user's name.
    pub(crate) fn origin(mut self, user_id: Bytes) -> Self {
        self.options.origin = Some(user_id);
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
            // Here, in the caller's task, under no lock.
            let packed = match Packed::call(&args, &kwargs) {
                Ok(packed) => packed,
                Err(error) => return Poll::Ready(Err(CallRefused::from(error).into())),
            };
            let (options, waker) = (std::mem::take(&mut this.options), Some(cx.waker()));
            let pending = Pending::send(&this.route, this.name.clone(), packed, options, waker)?;
            let is_over = pending.is_over();
            this.pending = Some(pending);
            if !is_over {
                return Poll::Pending;
            }
        }
        let Some(pending) = &mut this.pending else {
            return Poll::Ready(Err(CallError::Unknown(Reason::Cancelled)));
        };
        let outcome = ready!(Pin::new(pending).poll(cx));
        this.pending = None;
        Poll::Ready(decode(&this.route.hub, outcome))
    }
}

pub(crate) fn decode<T: DeserializeOwned>(hub: &Hub, outcome: Outcome) -> Result<T, CallError> {
    match outcome {
        Outcome::Value(body) => decode_value(hub, body),
        Outcome::Fault(fault) => Err(CallError::Fault(fault)),
        Outcome::NotExecuted(reason) => Err(CallError::NotExecuted(reason)),
        Outcome::Executed(reason) => Err(CallError::Executed(reason)),
        Outcome::Unknown(reason) => Err(CallError::Unknown(reason)),
        Outcome::Closed { executed } => Err(CallError::Closed { executed }),
    }
}

/// Checked and decoded here, in the caller's task, under no lock.
fn decode_value<T: DeserializeOwned>(hub: &Hub, body: Unchecked) -> Result<T, CallError> {
    let peer = body.peer();
    let limits = &hub.config.limits.values;
    let packed = body.check(limits).map_err(|bad| {
        let over = limits.broken_by(bad);
        hub.bad_reply(BadReply { bad, over });
        CallError::Executed(if over.is_some() { Reason::TooLarge } else { Reason::BadReply })
    })?;
    learn(hub, peer, &packed);
    packed.decode().map_err(|error| CallError::Result(error.to_string()))
}
