//! Many handlers of one object, registered at once.

use super::Registry;
use crate::serve::handler::{Handler, HandlerError, Plain};
use crate::serve::request::Request;
use pseud_proto::registry::NameRefused;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

/// Methods of one object, collected to be served: all of them or none, from one moment on. See
/// [`Registry::object`].
///
/// ```
/// # use pseud_async::{Registry, Request};
/// # use pseud_proto::Fault;
/// # use std::sync::Arc;
/// struct Counter(std::sync::atomic::AtomicU64);
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let registry = Registry::new();
/// registry
///     .object("counter", Arc::new(Counter(0.into())))
///     .method_sync("next", |counter, _| {
///         Ok::<_, Fault>(counter.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
///     })
///     .method_typed("reset", |counter, (to,): (u64,), _| async move {
///         counter.0.store(to, std::sync::atomic::Ordering::Relaxed);
///         Ok::<_, Fault>(())
///     })
///     .register()?; // "counter.next" and "counter.reset"
/// # Ok(()) }
/// ```
#[must_use = "nothing is served before `register`"]
pub struct Object<O: ?Sized> {
    registry: Registry,
    prefix: String,
    object: Arc<O>,
    methods: Vec<(String, Handler)>,
}

impl Registry {
    /// Collects methods of one object, to be served as `prefix.method`; with an empty prefix, as
    /// `method`. See [`Object`].
    pub fn object<O: ?Sized>(&self, prefix: &str, object: Arc<O>) -> Object<O> {
        Object::new(self.clone(), prefix, object)
    }
}

impl<O: ?Sized> Object<O> {
    fn new(registry: Registry, prefix: &str, object: Arc<O>) -> Self {
        Self { registry, prefix: prefix.to_owned(), object, methods: Vec::new() }
    }

    fn with(mut self, name: &str, handler: Handler) -> Self {
        let name = match (self.prefix.as_str(), name) {
            ("", name) => name.to_owned(),
            (_, "") => String::new(),
            (prefix, name) => format!("{prefix}.{name}"),
        };
        self.methods.push((name, handler));
        self
    }

    /// Serves all of them.
    ///
    /// # Errors
    /// A name is refused, as by [`Registry::register`]: then none of them is served.
    pub fn register(self) -> Result<(), NameRefused> {
        self.registry.table().put(&self.registry.domain, self.methods)
    }
}

impl<O: ?Sized + Send + Sync + 'static> Object<O> {
    /// An async method: `|object, request| async move { … }`. See [`Registry::register`].
    pub fn method<F, Fut, T, E>(self, name: &str, method: F) -> Self
    where
        F: Fn(Arc<O>, Request) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Serialize,
        E: HandlerError,
    {
        let object = self.object.clone();
        self.with(name, Handler::from_async(move |request| method(object.clone(), request)))
    }

    /// One with typed arguments: `|object, (a, b): (i64, i64), request| async move { … }`. See
    /// [`Registry::register_typed`].
    pub fn method_typed<A, F, Fut, T, E>(self, name: &str, method: F) -> Self
    where
        A: DeserializeOwned + 'static,
        F: Fn(Arc<O>, A, Request) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Serialize,
        E: HandlerError,
    {
        let object = self.object.clone();
        let handler = move |args, request| method(object.clone(), args, request);
        self.with(name, Handler::from_typed(handler))
    }

    /// A plain one: `|object, request| …`. It must not block: see [`Registry::register_sync`].
    pub fn method_sync<F, T, E>(self, name: &str, method: F) -> Self
    where
        F: Fn(&O, Request) -> Result<T, E> + Send + Sync + 'static,
        T: Serialize,
        E: HandlerError,
    {
        self.plain(name, method, Handler::Inline)
    }

    /// One that blocks or computes. See [`Registry::register_blocking`].
    pub fn method_blocking<F, T, E>(self, name: &str, method: F) -> Self
    where
        F: Fn(&O, Request) -> Result<T, E> + Send + Sync + 'static,
        T: Serialize,
        E: HandlerError,
    {
        self.plain(name, method, Handler::Blocking)
    }

    fn plain<F, T, E>(self, name: &str, method: F, kind: fn(Plain) -> Handler) -> Self
    where
        F: Fn(&O, Request) -> Result<T, E> + Send + Sync + 'static,
        T: Serialize,
        E: HandlerError,
    {
        let object = self.object.clone();
        self.with(name, Handler::from_fn(move |request| method(&object, request), kind))
    }
}

impl<O: ?Sized> fmt::Debug for Object<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.methods.iter().map(|(name, _)| name);
        f.debug_list().entries(names).finish()
    }
}
