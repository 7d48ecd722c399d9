//! The face of a server or a client, whatever its runtime.

use crate::call::Call;
use crate::crowd::Place;
use crate::events::Events;
use crate::handler::{Handler, HandlerError};
use crate::hub::Hub;
use crate::request::Request;
use pseud_proto::To;
use pseud_proto::pseud::Stats;
use pseud_proto::registry::NameRefused;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
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

    /// Serves `name` with an async handler: `|request| async move { … }`, returning a `Result` whose
    /// error becomes the fault that the caller is told. Registering again replaces.
    ///
    /// It is polled once where its request arrives, and spawned as a task only if it has to wait.
    ///
    /// # Errors
    /// The empty name, and `pseud.*`, which is reserved.
    pub fn register<F, Fut, T, E>(&self, name: &str, handler: F) -> Result<(), NameRefused>
    where
        F: Fn(Request) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Serialize,
        E: HandlerError,
    {
        self.put(name, Handler::from_async(handler))
    }

    /// The same with typed arguments: `|(a, b): (i64, i64), request| async move { … }`.
    ///
    /// Too few of them, too many, of other types, or keyword arguments are a `TypeError` that names the
    /// argument; the handler is not run then.
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
        self.put(name, Handler::from_typed(handler))
    }

    /// Serves `name` with a plain function.
    ///
    /// It runs in the task that reads its caller's link and **must not block** nor compute for long:
    /// everything else on that link waits for it. See
    /// [`register_blocking`](Self::register_blocking).
    ///
    /// # Errors
    /// As for [`register`](Self::register).
    pub fn register_sync<F, T, E>(&self, name: &str, handler: F) -> Result<(), NameRefused>
    where
        F: Fn(Request) -> Result<T, E> + Send + Sync + 'static,
        T: Serialize,
        E: HandlerError,
    {
        self.put(name, Handler::from_fn(handler, Handler::Inline))
    }

    /// Serves `name` with a function that blocks or computes: it runs on a thread of its own.
    ///
    /// # Errors
    /// As for [`register`](Self::register).
    pub fn register_blocking<F, T, E>(&self, name: &str, handler: F) -> Result<(), NameRefused>
    where
        F: Fn(Request) -> Result<T, E> + Send + Sync + 'static,
        T: Serialize,
        E: HandlerError,
    {
        self.put(name, Handler::from_fn(handler, Handler::Blocking))
    }

    fn put(&self, name: &str, handler: Handler) -> Result<(), NameRefused> {
        let mut registry = self.hub().registry.write().unwrap_or_else(PoisonError::into_inner);
        let replaced = registry.register(name, handler)?;
        drop(registry);
        drop(replaced);
        Ok(())
    }

    /// Serves `name` no more; requests that run go on. Says whether it was served.
    pub fn unregister(&self, name: &str) -> bool {
        let mut registry = self.hub().registry.write().unwrap_or_else(PoisonError::into_inner);
        let removed = registry.unregister(name);
        drop(registry);
        removed.is_some()
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

    /// Ends everything now: links close, calls end as `Closed`, handlers are forgotten.
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
