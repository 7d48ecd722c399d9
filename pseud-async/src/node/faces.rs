//! What servers and clients do alike beside binding and connecting: the same as their nodes.

use super::events::Events;
use super::lifecycle::Drained;
use super::peering::Peering;
use crate::call::all::CallAll;
use crate::call::peer::Peer;
use crate::runtime::Runtime;
use crate::serve::caller::Caller;
use crate::serve::handler::HandlerError;
use crate::serve::registry::Registry;
use crate::serve::registry::object::Object;
use crate::serve::request::Request;
use pseud_proto::pseud::Stats;
use pseud_proto::registry::NameRefused;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::future::Future;
use std::sync::Arc;

impl<R: Runtime, Role> Peering<R, Role> {
    /// What it serves besides the global registry. See [`Node::registry`](crate::Node::registry).
    pub fn registry(&self) -> Registry {
        self.node().registry()
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
    /// The empty name, one of more than 255 bytes, and `pseud.*`, which is reserved.
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
    /// The empty name, one of more than 255 bytes, and `pseud.*`, which is reserved.
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
    /// The empty name, one of more than 255 bytes, and `pseud.*`, which is reserved.
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

    /// Its registry, registering in that domain. See [`Registry::domain`].
    pub fn domain(&self, domain: &str) -> Registry {
        self.registry().domain(domain)
    }

    /// Says whom that domain serves. See [`Registry::predicate`].
    pub fn predicate(
        &self,
        domain: &str,
        predicate: impl Fn(&Caller) -> bool + Send + Sync + 'static,
    ) {
        self.registry().predicate(domain, predicate)
    }

    /// The same with a predicate that may have to wait. See [`Registry::predicate_async`].
    pub fn predicate_async<F, Fut>(&self, domain: &str, predicate: F)
    where
        F: Fn(Caller) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = bool> + Send + 'static,
    {
        self.registry().predicate_async(domain, predicate)
    }

    /// Whoever holds that identity when it is called. See [`Node::peer`](crate::Node::peer).
    pub fn peer(&self, identity: impl AsRef<[u8]>) -> Peer {
        self.node().peer(identity)
    }

    /// Calls all of them at the same time. See [`Node::call_all`](crate::Node::call_all).
    pub fn call_all<T, A: Serialize>(
        &self,
        peers: impl IntoIterator<Item = Peer>,
        name: impl AsRef<str>,
        args: A,
    ) -> CallAll<T, A> {
        self.node().call_all(peers, name, args)
    }

    /// What happens to links from now on. See [`Node::events`](crate::Node::events).
    pub fn events(&self) -> Events {
        self.node().events()
    }

    /// Takes no new requests from now on, and waits until what is open has ended. See [`Node::drained`](crate::Node::drained).
    pub fn drained(&self) -> Drained {
        self.node().drained()
    }

    /// Ends everything now. See [`Node::shutdown`](crate::Node::shutdown).
    pub fn shutdown(&self) {
        self.node().shutdown()
    }

    /// Counters. See [`Node::stats`](crate::Node::stats).
    pub fn stats(&self) -> Stats {
        self.node().stats()
    }
}
