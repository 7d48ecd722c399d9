//! The face of a server or a client, whatever its runtime.

use crate::call::Call;
use crate::caller::Caller;
use crate::crowd::Place;
use crate::events::Events;
use crate::handler::HandlerError;
use crate::hub::Hub;
use crate::registry::{Object, Registry};
use crate::request::Request;
use pseud_proto::To;
use pseud_proto::pseud::Stats;
use pseud_proto::registry::NameRefused;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A server or a client: it serves handlers and calls peers. Cheap to clone; all clones are one.
///
/// When the last clone is dropped, links close and pending calls end as `Closed`. A handler that
/// holds a clone keeps its node alive: use [`Request::caller`] there, or call
/// [`shutdown`](Self::shutdown).
#[derive(Clone)]
pub struct Node {
    owner: Arc<Owner>,
}

/// Ends the hub when the last handle goes.
struct Owner(Arc<Hub>);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.shutdown();
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").finish_non_exhaustive()
    }
}

impl Node {
    /// A node around that hub. For adapters.
    pub fn new(hub: Arc<Hub>) -> Self {
        Self { owner: Arc::new(Owner(hub)) }
    }

    /// The hub. For adapters.
    pub fn hub(&self) -> &Arc<Hub> {
        &self.owner.0
    }

    /// What this node serves besides the [global](Registry::global) registry: its own registry, or
    /// the one that it was given.
    pub fn registry(&self) -> Registry {
        self.hub().served.registry()
    }

    /// Serves `name` with an async handler. See [`Registry::register`].
    ///
    /// # Errors
    /// The empty name, one of more than 255 bytes, and `pseud.*`, which is reserved.
    pub fn register<F, Fut, T, E>(&self, name: &str, handler: F) -> Result<(), NameRefused>
    where
        F: Fn(Request) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Serialize,
        E: HandlerError,
    {
        self.registry().register(name, handler)
    }

    /// The same with typed arguments. See [`Registry::register_typed`].
    ///
    /// # Errors
    /// As for [`register`](Self::register).
    pub fn register_typed<A, F, Fut, T, E>(&self, name: &str, handler: F) -> Result<(), NameRefused>
    where
        A: DeserializeOwned + 'static,
        F: Fn(A, Request) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Serialize,
        E: HandlerError,
    {
        self.registry().register_typed(name, handler)
    }

    /// Serves `name` with a plain function, which must not block. See [`Registry::register_sync`].
    ///
    /// # Errors
    /// As for [`register`](Self::register).
    pub fn register_sync<F, T, E>(&self, name: &str, handler: F) -> Result<(), NameRefused>
    where
        F: Fn(Request) -> Result<T, E> + Send + Sync + 'static,
        T: Serialize,
        E: HandlerError,
    {
        self.registry().register_sync(name, handler)
    }

    /// Serves `name` with a function that blocks or computes. See [`Registry::register_blocking`].
    ///
    /// # Errors
    /// As for [`register`](Self::register).
    pub fn register_blocking<F, T, E>(&self, name: &str, handler: F) -> Result<(), NameRefused>
    where
        F: Fn(Request) -> Result<T, E> + Send + Sync + 'static,
        T: Serialize,
        E: HandlerError,
    {
        self.registry().register_blocking(name, handler)
    }

    /// Collects methods of one object to be served at once. See [`Registry::object`].
    pub fn object<O: ?Sized>(&self, prefix: &str, object: Arc<O>) -> Object<O> {
        self.registry().object(prefix, object)
    }

    /// Serves `name` no more; requests that run go on. See [`Registry::unregister`].
    pub fn unregister(&self, name: &str) -> bool {
        self.registry().unregister(name)
    }

    /// The node's registry, registering in that domain. See [`Registry::domain`].
    pub fn domain(&self, domain: &str) -> Registry {
        self.registry().domain(domain)
    }

    /// Says whom that domain serves. See [`Registry::guard`].
    pub fn guard(&self, domain: &str, predicate: impl Fn(&Caller) -> bool + Send + Sync + 'static) {
        self.registry().guard(domain, predicate);
    }

    /// The same with a predicate that may have to wait. See [`Registry::guard_async`].
    pub fn guard_async<F, Fut>(&self, domain: &str, predicate: F)
    where
        F: Fn(Caller) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = bool> + Send + 'static,
    {
        self.registry().guard_async(domain, predicate);
    }

    /// Calls the configured server. `args` is a tuple: `("Charly",)`, `()`.
    ///
    /// The call waits for the link to the server, bounded by its own time-out. See [`Call`].
    pub fn call<'a, T, A: Serialize>(&self, name: &'a str, args: A) -> Call<'a, T, A> {
        Call::new(self.hub().clone(), To::Server, name, args)
    }

    /// Whoever holds that routing id when it is called: the identity that a peer announced.
    pub fn peer(&self, routing_id: impl AsRef<[u8]>) -> Peer {
        let name = routing_id.as_ref().to_vec().into();
        Peer::new(self.hub().clone(), To::Name(name))
    }

    /// Waits until the configured server's link is ready; at once where no server is configured,
    /// or the node has shut down. Cancel-safe. It waits for ever if nobody of that name ever answers
    /// there: wrap it in a time-out.
    pub fn ready(&self) -> Ready {
        Ready { hub: self.hub().clone(), place: Place::default() }
    }

    /// What happens to links from now on.
    pub fn events(&self) -> Events {
        Events::new(self.hub().clone())
    }

    /// Takes no new requests (they are refused as [`Reason::Draining`](pseud_proto::Reason::Draining)), and waits until every open
    /// request is answered and every call of ours has ended. Cancel-safe; draining goes on. Calls
    /// that handlers make meanwhile are still made.
    pub fn drained(&self) -> Drained {
        self.hub().lock().endpoint.drain();
        Drained { hub: self.hub().clone(), place: Place::default() }
    }

    /// Ends everything now: links close, calls end as `Closed`, handlers are forgotten unless they are of
    /// a registry that was given to this node.
    pub fn shutdown(&self) {
        self.hub().shutdown();
    }

    /// Counters.
    pub fn stats(&self) -> Stats {
        self.hub().lock().endpoint.stats()
    }
}

/// Somebody to call: a handle, cheap to clone.
#[derive(Clone)]
pub struct Peer {
    hub: Arc<Hub>,
    to: To,
}

impl Peer {
    pub(crate) fn new(hub: Arc<Hub>, to: To) -> Self {
        Self { hub, to }
    }

    /// Calls this peer. `args` is a tuple: `("Charly",)`, `()`. See [`Call`].
    pub fn call<'a, T, A: Serialize>(&self, name: &'a str, args: A) -> Call<'a, T, A> {
        Call::new(self.hub.clone(), self.to.clone(), name, args)
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Peer").field(&self.to).finish()
    }
}

/// See [`Node::ready`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Ready {
    hub: Arc<Hub>,
    place: Place,
}

impl Future for Ready {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(server) = &self.hub.config.server else { return Poll::Ready(()) };
        self.place.register(cx.waker());
        let mut inner = self.hub.lock();
        if inner.shut_down || inner.endpoint.peer_named(server).is_some() {
            return Poll::Ready(());
        }
        inner.joining.join(&self.place);
        Poll::Pending
    }
}

/// See [`Node::drained`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Drained {
    hub: Arc<Hub>,
    place: Place,
}

impl Future for Drained {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.place.register(cx.waker());
        let mut inner = self.hub.lock();
        if inner.shut_down || inner.endpoint.is_idle() {
            return Poll::Ready(());
        }
        inner.idling.join(&self.place);
        Poll::Pending
    }
}
