//! What `Server` and `Client` have in common: a node that binds and connects.

use super::Node;
use super::accept;
use super::accept::Bound;
use super::dialer;
use super::dialer::Dialed;
use super::drain::{Drain, drain};
use super::options::{BindOptions, Options};
use super::security;
use crate::link::Host;
use crate::runtime::time::within;
use crate::runtime::{Runtime, Timer};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A [`Node`] on a runtime: what a server and a client have in common.
#[derive(Debug, Clone)]
pub(crate) struct Peering<R: Runtime> {
    node: Node,
    options: Arc<Options>,
    runtime: R,
    /// The tasks that accept or dial, by endpoint.
    tasks: Arc<Mutex<Tasks<R>>>,
}

#[derive(Debug)]
struct Tasks<R: Runtime> {
    bound: BTreeMap<String, Bound>,
    connected: BTreeMap<String, Dialed<R>>,
}

impl<R: Runtime> Default for Tasks<R> {
    fn default() -> Self {
        Self { bound: BTreeMap::new(), connected: BTreeMap::new() }
    }
}

impl<R: Runtime> Peering<R> {
    pub(crate) fn new(mut options: Options, runtime: R) -> io::Result<Self> {
        security::judge_mechanism(&options)?;
        let host = Host::new(Arc::new(options.config.clone()), runtime.clone())?
            .with_gate(options.gate.clone())
            .with_orphans(options.orphans);
        // Taken: what is kept for later must not keep the registry alive.
        let host = Arc::new(match options.registry.take() {
            Some(registry) => host.with_registry(registry),
            None => host,
        });
        runtime.spawn(run_timer(Ends(host.clone()), runtime.clone()));
        let (node, options) = (Node::new(host), Arc::new(options));
        Ok(Self { node, options, runtime, tasks: Arc::default() })
    }

    pub(crate) fn node(&self) -> &Node {
        &self.node
    }

    fn tasks(&self) -> MutexGuard<'_, Tasks<R>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn bind(&self, endpoint: &str, here: BindOptions) -> io::Result<String> {
        self.judge_alive("bind", endpoint)?;
        let bind = accept::bind(self.node.host(), &self.options, endpoint, here, &self.runtime);
        let (bound, task) = within(&self.runtime, bind).await?;
        self.tasks().bound.insert(bound.clone(), task);
        Ok(bound)
    }

    pub(crate) fn connect(&self, endpoint: &str) -> io::Result<()> {
        self.judge_alive("connect to", endpoint)?;
        let mut tasks = self.tasks();
        if tasks.connected.contains_key(endpoint) {
            let text = format!("cannot connect to {endpoint}: that was asked for already");
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
        }
        let task = dialer::connect(self.node.host(), &self.options, endpoint, &self.runtime)?;
        tasks.connected.insert(endpoint.to_owned(), task);
        Ok(())
    }

    pub(crate) async fn drain(&self, at_most: Duration) -> Drain {
        let drain = drain(self.node.clone(), at_most, self.runtime.clone());
        within(&self.runtime, drain).await
    }

    fn judge_alive(&self, verb: &str, endpoint: &str) -> io::Result<()> {
        match self.node.host().hub().is_shut_down() {
            false => Ok(()),
            true => Err(io::Error::other(format!("cannot {verb} {endpoint}: this side shut down"))),
        }
    }

    pub(crate) fn unbind(&self, endpoint: &str) -> io::Result<()> {
        let bound = self.tasks().bound.remove(endpoint);
        bound.map(|bound| bound.unbind()).ok_or_else(|| not_in_use("unbind", endpoint))
    }

    pub(crate) fn disconnect(&self, endpoint: &str) -> io::Result<()> {
        let dialed = self.tasks().connected.remove(endpoint);
        dialed.map(|dialed| dialed.disconnect()).ok_or_else(|| not_in_use("disconnect", endpoint))
    }
}

fn not_in_use(verb: &str, endpoint: &str) -> io::Error {
    let text = format!("cannot {verb} {endpoint}: it is not among the endpoints in use");
    io::Error::new(io::ErrorKind::NotFound, text)
}

/// Ends the node when its timer task ends, also where that is since the runtime goes away: no call
/// then waits for ever.
struct Ends(Arc<Host>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.shutdown();
    }
}

/// One sleep for all calls of an endpoint.
async fn run_timer<R: Runtime>(ends: Ends, runtime: R) {
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
