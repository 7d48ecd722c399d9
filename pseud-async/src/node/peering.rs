//! A node that binds and connects: what servers and clients have in common.

use super::Node;
use super::accept;
use super::accept::Bound;
use super::dialer;
use super::dialer::Dialed;
use super::drain::{Drain, drain};
use super::key_pairs::KeyPairs;
use super::options::{BindOptions, Options};
use super::security;
use super::setup_error::SetupError;
use crate::endpoint_error::EndpointError;
use crate::link::Host;
use crate::presence::beats;
use crate::runtime::time::within;
use crate::runtime::{Runtime, Timer};
use pseud_proto::address::{Address, IntoAddress};
use std::collections::BTreeMap;
use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A [`Node`] on a runtime: a [`Server`](crate::Server) or a [`Client`](crate::Client), as its role says.
/// Cheap to clone; all clones are one.
pub struct Peering<R: Runtime, Role> {
    node: Node,
    options: Arc<Options>,
    runtime: R,
    /// The tasks that accept or dial, by endpoint.
    tasks: Arc<Mutex<Tasks<R>>>,
    role: PhantomData<fn() -> Role>,
}

impl<R: Runtime, Role> Clone for Peering<R, Role> {
    fn clone(&self) -> Self {
        let Self { node, options, runtime, tasks, role } = self;
        let (node, options, runtime) = (node.clone(), options.clone(), runtime.clone());
        Self { node, options, runtime, tasks: tasks.clone(), role: *role }
    }
}

impl<R: Runtime, Role> fmt::Debug for Peering<R, Role> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peering").field("runtime", &self.runtime).finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct Tasks<R: Runtime> {
    bound: BTreeMap<Address, Bound>,
    connected: BTreeMap<Address, Dialed<R>>,
    /// Those of their new links, once they have changed.
    keys: Arc<KeyPairs>,
}

impl<R: Runtime> Default for Tasks<R> {
    fn default() -> Self {
        Self { bound: BTreeMap::new(), connected: BTreeMap::new(), keys: Arc::default() }
    }
}

impl<R: Runtime, Role> Peering<R, Role> {
    pub(crate) fn start(mut options: Options) -> Result<Self, SetupError> {
        let runtime = R::current().map_err(SetupError::Runtime)?;
        let (node, options) = (node_on(&mut options, &runtime)?, Arc::new(options));
        Ok(Self { node, options, runtime, tasks: Arc::default(), role: PhantomData })
    }

    /// What handlers and other tasks may hold of it: it registers and calls, but neither binds nor
    /// connects.
    pub fn node(&self) -> &Node {
        &self.node
    }

    #[cfg(feature = "_curve")]
    pub(super) fn options(&self) -> &Options {
        &self.options
    }

    pub(super) fn keys(&self) -> Arc<KeyPairs> {
        self.tasks().keys.clone()
    }

    fn tasks(&self) -> MutexGuard<'_, Tasks<R>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Listens on an endpoint: `tcp://host:port` (host `*` for any, port `*` or 0 for a free
    /// one), `ipc://path` or `ipc://@name`. Returns it with the real port. Several may be
    /// bound. Links are served until the node ends. Cancel-safe, and any executor may await it:
    /// the node's own runtime accepts.
    ///
    /// # Errors
    /// [`EndpointError`]: the endpoint is malformed or cannot be bound, or the node has ended.
    pub async fn bind(&self, endpoint: impl IntoAddress) -> Result<Address, EndpointError> {
        self.bind_with(endpoint, BindOptions::default()).await
    }

    /// The same with settings of that listener's own.
    ///
    /// # Errors
    /// As for [`bind`](Self::bind).
    pub async fn bind_with(
        &self,
        endpoint: impl IntoAddress,
        here: BindOptions,
    ) -> Result<Address, EndpointError> {
        let address = endpoint.into_address()?.for_binding()?;
        self.check_alive("bind", &address)?;
        let keys = self.keys();
        let bind =
            accept::bind(self.node.host(), &self.options, &address, here, &self.runtime, &keys);
        let (bound, task) = within(&self.runtime, bind).await?;
        self.tasks().bound.insert(bound.clone(), task);
        Ok(bound)
    }

    /// Connects to an endpoint, and again whenever that link ends, after a wait drawn from
    /// 0 to 100 ms at first and 0 to 30 s at last. Returns at once: see [`Node::ready`].
    /// Several may be connected to. A name's addresses are tried side by side, each for
    /// [`Options::connect_timeout`]; each that fails is a
    /// [`ConnectionEvent::ConnectFailed`](crate::ConnectionEvent::ConnectFailed).
    ///
    /// # Errors
    /// The endpoint is malformed or connected to already, or the node has ended: the error
    /// names it.
    pub fn connect(&self, endpoint: impl IntoAddress) -> Result<(), EndpointError> {
        let address = endpoint.into_address()?.for_connecting()?;
        self.check_alive("connect to", &address)?;
        let mut tasks = self.tasks();
        if tasks.connected.contains_key(&address) {
            return Err(EndpointError::AlreadyConnected(address.into()));
        }
        let task =
            dialer::connect(self.node.host(), &self.options, &address, &self.runtime, &tasks.keys)?;
        tasks.connected.insert(address, task);
        Ok(())
    }

    /// Ends gracefully: takes no new requests, lets what is open finish for that long at
    /// most, then ends everything, and waits until peers have read what was written for them:
    /// for what is left of that time, but for one second at least and five at most. When this
    /// returns all endpoints are free. Says whether it was cut short.
    ///
    /// Any executor may await it. If this future is dropped, the node goes on refusing new
    /// requests, but lives.
    pub async fn drain(&self, at_most: Duration) -> Drain {
        let drain = drain(self.node.clone(), at_most, self.runtime.clone());
        within(&self.runtime, drain).await
    }

    fn check_alive(&self, verb: &'static str, address: &Address) -> Result<(), EndpointError> {
        match self.node.host().hub().is_shut_down() {
            false => Ok(()),
            true => Err(EndpointError::ShutDown { verb, endpoint: address.to_string() }),
        }
    }

    /// Listens no more on an endpoint, written as [`bind`](Self::bind) returned it. Links
    /// that were accepted there live on. When this returns the endpoint is free: it can be bound
    /// again.
    ///
    /// # Errors
    /// It is not bound.
    pub fn unbind(&self, endpoint: impl IntoAddress) -> Result<(), EndpointError> {
        let address = endpoint.into_address()?;
        let bound = self.tasks().bound.remove(&address);
        bound.map(|bound| bound.unbind()).ok_or_else(|| not_in_use("unbind", address))
    }

    /// Closes the link to an endpoint, and does not connect to it again. When this returns the
    /// link's session is over, as [`Reason::Disconnected`](pseud_proto::Reason::Disconnected):
    /// its calls have ended, and later ones wait for another link.
    ///
    /// # Errors
    /// It is not connected to.
    pub fn disconnect(&self, endpoint: impl IntoAddress) -> Result<(), EndpointError> {
        let address = endpoint.into_address()?;
        let dialed = self.tasks().connected.remove(&address);
        dialed.map(|dialed| dialed.disconnect()).ok_or_else(|| not_in_use("disconnect", address))
    }
}

fn not_in_use(verb: &'static str, address: Address) -> EndpointError {
    EndpointError::NotInUse { verb, endpoint: address.into() }
}

/// A node on that runtime, with nothing that binds or connects yet. Of the options the registry is taken:
/// what is kept of them for later must not keep it alive.
///
/// # Errors
/// Settings that contradict each other; the operating system gives no entropy.
pub fn node_on<R: Runtime>(options: &mut Options, runtime: &R) -> Result<Node, SetupError> {
    security::check_mechanism(options)?;
    security::settle_credentials(options);
    let host = Host::new(Arc::new(options.config.clone()), runtime.clone())
        .map_err(SetupError::Entropy)?
        .with_admission(options.admission.clone())
        .with_on_disconnect(options.on_disconnect)
        .with_hooks(options.hooks.take());
    let host = Arc::new(match options.registry.take() {
        Some(registry) => host.with_registry(registry),
        None => host,
    });
    runtime.spawn(run_timer(EndsNode(host.clone()), runtime.clone()));
    if let Some(beats) = options.heartbeats.take() {
        runtime.spawn(beats::beat(host.hub().clone(), beats, runtime.clone()));
    }
    Ok(Node::new(host))
}

/// Ends the node when its timer task ends, also where that is since the runtime goes away: no call
/// then waits for ever.
struct EndsNode(Arc<Host>);

impl Drop for EndsNode {
    fn drop(&mut self) {
        self.0.shutdown();
    }
}

/// One sleep for all calls of an endpoint.
async fn run_timer<R: Runtime>(ends: EndsNode, runtime: R) {
    let hub = ends.0.hub();
    let mut armed = hub.now();
    let mut timer = runtime.timer(armed);
    poll_fn(|cx| {
        hub.poll_timer(cx, |cx, at| {
            if armed != at {
                armed = at;
                timer.reset(at);
            }
            timer.poll(cx)
        })
    })
    .await;
}
