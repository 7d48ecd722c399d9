//! One call to many peers: encoded once, each with its own outcome.

use super::decode;
use crate::call::error::CallError;
use crate::call::peer::Peer;
use crate::call::pending::Pending;
use crate::call::route::Route;
use pseud_proto::value::Packed;
use pseud_proto::{CallOptions, CallRefused, WhenFull};
use serde::Serialize;
use serde::de::DeserializeOwned;
use smol_str::SmolStr;
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// The same call to several peers: a future of one result for each, in the order of the peers.
///
/// All are sent when it is first polled; what one of them does touches no other. Dropping it gives all
/// of them up, as for one [`Call`](crate::Call). It costs no task.
///
/// ```no_run
/// # async fn run(server: pseud::Server) {
/// let sessions = server.sessions("charly");
/// for answer in server.call_all::<String, _>(sessions, "where", ()).await {
///     println!("{answer:?}");
/// }
/// # }
/// ```
#[must_use = "calls are sent when they are awaited"]
pub struct CallAll<T, A, K = ()> {
    peers: Vec<Peer>,
    name: SmolStr,
    arguments: Option<(A, K)>,
    options: CallOptions,
    calls: VecDeque<Result<(Pending, Arc<Route>), CallRefused>>,
    results: Vec<Result<T, CallError>>,
}

impl<T, A, K> Unpin for CallAll<T, A, K> {}

impl<T, A, K> fmt::Debug for CallAll<T, A, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallAll").field("peers", &self.peers).field("name", &self.name).finish()
    }
}

impl<T, A> CallAll<T, A> {
    pub(crate) fn new(peers: Vec<Peer>, name: SmolStr, args: A) -> Self {
        let (arguments, options) = (Some((args, ())), CallOptions::default());
        let (calls, results) = (VecDeque::new(), Vec::new());
        Self { peers, name, arguments, options, calls, results }
    }

    /// The same with keyword arguments: see [`Call::kwargs`](crate::Call::kwargs).
    pub fn kwargs<K: Serialize>(self, kwargs: K) -> CallAll<T, A, K> {
        let Self { peers, name, arguments, options, calls, results } = self;
        let arguments = arguments.map(|(args, ())| (args, kwargs));
        CallAll { peers, name, arguments, options, calls, results }
    }
}

impl<T, A, K> CallAll<T, A, K> {
    /// Waits that long for each answer at most: see [`Call::timeout`](crate::Call::timeout).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options = self.options.timeout(timeout);
        self
    }

    /// What becomes of a call whose peer has no room: see [`Call::when_full`](crate::Call::when_full).
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.options = self.options.when_full(when_full);
        self
    }

    /// Encodes the arguments once and sends them to all.
    fn send(&mut self, args: &A, kwargs: &K)
    where
        A: Serialize,
        K: Serialize,
    {
        let packed = Packed::call(args, kwargs).map_err(CallRefused::from);
        let send = |peer: Peer| {
            let (packed, options) = (packed.clone()?, self.options.clone());
            let route = peer.route();
            let pending = Pending::send(route, self.name.clone(), packed, options, None)?;
            Ok((pending, route.clone()))
        };
        self.calls = std::mem::take(&mut self.peers).into_iter().map(send).collect();
    }
}

impl<T, A, K> Future for CallAll<T, A, K>
where
    T: DeserializeOwned,
    A: Serialize,
    K: Serialize,
{
    type Output = Vec<Result<T, CallError>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if let Some((args, kwargs)) = this.arguments.take() {
            this.send(&args, &kwargs);
        }
        // Each keeps its outcome until it is asked for: to wait for the first of them is enough.
        // Whoever has ended is taken out before its result is decoded: that may panic.
        while let Some(call) = this.calls.pop_front() {
            let result = match call {
                Ok((mut pending, route)) => match Pin::new(&mut pending).poll(cx) {
                    Poll::Ready(outcome) => decode(&route.hub, outcome),
                    Poll::Pending => {
                        this.calls.push_front(Ok((pending, route)));
                        return Poll::Pending;
                    }
                },
                Err(refused) => Err(refused.into()),
            };
            this.results.push(result);
        }
        Poll::Ready(std::mem::take(&mut this.results))
    }
}
