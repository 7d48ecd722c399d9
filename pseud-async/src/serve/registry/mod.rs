//! Registries: what is served, under which names, to whom.

pub(crate) mod admin;
mod call_through;
pub(crate) mod forward;
pub(crate) mod macros;
pub(crate) mod object;
pub(crate) mod service_table;
pub(crate) mod table;

use super::caller::Caller;
use super::handler::{Handler, HandlerError};
use super::predicate::Predicate;
use super::request::Request;
use pseud_proto::registry::{DEFAULT_DOMAIN, NameRefused};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, LazyLock};
use table::{RegistryHandle, Table};

static GLOBAL: LazyLock<Registry> = LazyLock::new(Registry::new);

/// What is served, under which names, to whom. A cheap handle: clones and
/// [`domain`](Self::domain)s of it are views of the same table.
///
/// There are three kinds, as in Python: [`global`](Self::global) is every node's of the process, each
/// node has one of its own, and one from [`new`](Self::new) is shared by whichever nodes it is given to
/// (Python's `create_local_registry`). All may change while requests are served.
///
/// # Which handler serves a call
/// A handler stands under a name and a domain, and a domain has a predicate over its callers
/// ([`predicate`](Self::predicate)). Of the handlers of the name that was called, those that the node's own
/// registry and the global one hold are tried in Python pseud's order:
/// 1. those of domains that are not `default`, also a global one before a local one of `default`;
/// 2. then local ones before global ones;
/// 3. then, within a registry, the newest first; registering again makes it the newest.
///
/// The first whose predicate accepts the caller serves. Predicates are asked anew at each call. Where
/// none accepts, the caller is told that there is no such service
/// ([`CallError::is_service_not_found`](crate::CallError::is_service_not_found)), the same as of a name
/// that nobody registered.
///
/// A domain's predicate is looked up in the node's own registry, then in the global one. Ready-made are
/// `default`, which accepts everyone, and `restricted`, which accepts users with the permission
/// `"restricted"` ([`User::has_permission`](pseud_proto::User::has_permission); Python's asks for
/// `DoSomethingNasty`). Handlers of a domain that has no predicate serve nobody, and an error is logged
/// once; Python answers `ComponentLookupError` there.
///
/// # Lifetime
/// Handlers are forgotten when the last handle of their registry is dropped and every node that it was
/// given to has ended; a node's own are when that node ends. A handler that holds a handle of its own
/// registry keeps that alive.
///
/// # Example
/// ```no_run
/// use pseud::{Client, Fault, Options, Registry, Server};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let shared = Registry::new();
/// shared.register_sync("add", |request| {
///     let (a, b): (i64, i64) = request.args()?;
///     Ok::<_, Fault>(a + b)
/// })?;
/// let mut options = Options::server("service");
/// options.registry = Some(shared.clone());
/// let server = Server::with_options(options)?;
/// server.predicate("staff", |caller| caller.user().has_permission("staff"));
/// server.domain("staff").register_sync("stop", |_| Ok::<_, Fault>(()))?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Registry {
    handle: Arc<RegistryHandle>,
    domain: Arc<str>,
}

impl Registry {
    /// A free-standing registry, empty: give it to nodes by their options.
    pub fn new() -> Self {
        Self { handle: Arc::default(), domain: DEFAULT_DOMAIN.into() }
    }

    /// The registry of the whole process: every node serves it, after its own. Never forgotten.
    pub fn global() -> Self {
        GLOBAL.clone()
    }

    /// A view of the same registry that registers in that domain, and unregisters there.
    #[must_use]
    pub fn domain(&self, domain: &str) -> Self {
        Self { handle: self.handle.clone(), domain: domain.into() }
    }

    /// Handlers of that domain serve whom `predicate` accepts: `|caller| caller.user().…`. Said again,
    /// it replaces.
    ///
    /// It is asked at every call of a name that stands in that domain, unless a handler that is tried
    /// before serves it. It runs in the task that reads its caller's link (behind a predicate that had
    /// to wait, in that request's), under no lock, and **must not block**. One that panics has denied.
    #[doc(alias = "guard")]
    #[doc(alias = "auth_backend")]
    #[doc(alias = "register_predicate")]
    pub fn predicate(
        &self,
        domain: &str,
        predicate: impl Fn(&Caller) -> bool + Send + Sync + 'static,
    ) {
        self.table().predicate(domain, Predicate::from_fn(predicate));
    }

    /// The same with a predicate that may have to wait: `|caller| async move { … }`.
    ///
    /// It is polled once where the request arrives. Only if it has to wait, that request goes on in a
    /// task of its own, and later ones may overtake it; it counts as a running handler, and is given up
    /// when its caller is gone.
    pub fn predicate_async<F, Fut>(&self, domain: &str, predicate: F)
    where
        F: Fn(Caller) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = bool> + Send + 'static,
    {
        self.table().predicate(domain, Predicate::from_async(predicate));
    }

    /// Serves `name` with an async handler: `|request| async move { … }`, returning a `Result` whose
    /// error becomes the fault that the caller is told: a [`Fault`](pseud_proto::Fault), or what `?`
    /// makes one of. Registering again replaces; requests that the former handler serves go on.
    ///
    /// A closure says which error it means: `Ok::<_, Fault>(…)`. For an error type of one's own,
    /// `impl From<MyError> for Fault` says what callers are told.
    ///
    /// It is polled once where its request arrives, and spawned as a task only if it has to wait. When
    /// its caller leaves meanwhile it is dropped where it waits: see [`OnDisconnect`](crate::OnDisconnect).
    ///
    /// # Errors
    /// The empty name, one of more than 255 bytes, and `pseud.*`, which is reserved.
    #[doc(alias = "register_rpc")]
    pub fn register<F, Fut, T, E>(&self, name: &str, handler: F) -> Result<(), NameRefused>
    where
        F: Fn(Request) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Serialize,
        E: HandlerError,
    {
        self.put(name, Handler::from_async(handler))
    }

    /// The same with typed arguments: `|(a, b): (i64, i64), request| async move { … }`. They are owned:
    /// `String`, not `&str`, which only [`Request::bind`] and [`Request::args`] can borrow.
    ///
    /// They are bound by Python's rules. A tuple (`(a,)` for one, `()` for none) takes positions, as
    /// `def f(a, b, /)` does. A struct takes each of its fields by position or by name, as `def f(a, b)`
    /// does: a Python caller writes `f(1, b=2)`. What is an `Option` at the end of either, or has
    /// `#[serde(default)]` in a struct or tuple struct, may be left out. A `Vec` takes all there are, a
    /// map takes keywords alone, and a type that is none of these takes the one argument: which types
    /// are tuples only their `Deserialize` knows, so that nothing can be refused when this is compiled.
    ///
    /// ```
    /// #[derive(serde::Deserialize)]
    /// struct Move {
    ///     x: i64,
    ///     y: i64,
    ///     label: Option<String>,
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let registry = pseud_async::Registry::new();
    /// registry.register_typed("move", |to: Move, _| async move {
    ///     Ok::<_, pseud_proto::Fault>(to.x + to.y) // move(1, 2), move(1, y=2, label='a')
    /// })?;
    /// # Ok(()) }
    /// ```
    ///
    /// Too few of them, too many, of other types, or a keyword that is not taken are a `TypeError` that
    /// names the argument; the handler is not run then. See
    /// [`Arguments::bind`](pseud_proto::value::Arguments::bind).
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

    /// Serves `name` with a function that blocks or computes: it runs on a thread of its own, and once
    /// begun to its end, whether its caller leaves or not. One that takes long asks now and then whether
    /// that is [so](Request::cancelled).
    ///
    /// At most 512 of a node run at once (in `pseud::blocking`: as many as its `Threads` say), and of
    /// one peer as many as threads are free beside them: half of them where it is alone. The others
    /// wait, and take turns by peer; so handlers that wait for calls which come back to such handlers
    /// may wait for each other where that many do.
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

    /// Serves `name` no more in this view's domain; requests that run go on. Says whether it was
    /// served there.
    pub fn unregister(&self, name: &str) -> bool {
        self.table().remove(&self.domain, name)
    }

    fn put(&self, name: &str, handler: Handler) -> Result<(), NameRefused> {
        self.table().put(&self.domain, vec![(name.to_owned(), handler)])
    }

    pub(super) fn table(&self) -> &Arc<Table> {
        self.handle.table()
    }
}

/// The table of the process.
pub(super) fn global() -> &'static Table {
    GLOBAL.table()
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("domain", &self.domain).finish_non_exhaustive()
    }
}
