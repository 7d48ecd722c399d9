//! `Server` and `Client`: nodes that bind and connect.

use crate::accept::{self, Bound};
use crate::dial::{self, Dialed};
use crate::drain::{Drain, drain};
use crate::options::{BindOptions, Options};
use crate::within::within;
use crate::{names, runtime, security};
use pseud_async::{Hub, Node, Runtime};
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::io;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::{Sleep, sleep_until};

/// A [`Node`] on tokio: what a server and a client have in common.
#[derive(Debug, Clone)]
struct Peering {
    node: Node,
    options: Arc<Options>,
    handle: Handle,
    /// The tasks that accept or dial, by endpoint.
    tasks: Arc<Mutex<Tasks>>,
}

#[derive(Debug, Default)]
struct Tasks {
    bound: BTreeMap<String, Bound>,
    connected: BTreeMap<String, Dialed>,
}

impl Peering {
    fn new(mut options: Options) -> io::Result<Self> {
        security::judge_mechanism(&options)?;
        let handle = runtime::current()?;
        let (spawner, blocking) = (handle.clone(), handle.clone());
        let lent = Runtime {
            // Tokio's, which tests may stop: its sleeps and our deadlines are of one clock.
            clock: || tokio::time::Instant::now().into_std(),
            spawn: Box::new(move |future| drop(spawner.spawn(future))),
            spawn_blocking: Box::new(move |run| drop(blocking.spawn_blocking(run))),
            sleep: Box::new(|at| Box::pin(sleep_until(at.into()))),
        };
        let hub = Hub::new(Arc::new(options.config.clone()), lent)?
            .with_gate(options.gate.clone())
            .with_orphans(options.orphans);
        // Taken: what is kept for later must not keep the registry alive.
        let hub = Arc::new(match options.registry.take() {
            Some(registry) => hub.with_registry(registry),
            None => hub,
        });
        handle.spawn(run_timer(Ends(hub.clone())));
        let (node, options) = (Node::new(hub), Arc::new(options));
        Ok(Self { node, options, handle, tasks: Arc::default() })
    }

    fn tasks(&self) -> std::sync::MutexGuard<'_, Tasks> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn bind(&self, endpoint: &str, here: BindOptions) -> io::Result<String> {
        self.judge_alive("bind", endpoint)?;
        let bind = accept::bind(self.node.hub(), &self.options, endpoint, here, &self.handle);
        let (bound, task) = within(&self.handle, bind).await?;
        self.tasks().bound.insert(bound.clone(), task);
        Ok(bound)
    }

    fn connect(&self, endpoint: &str) -> io::Result<()> {
        self.judge_alive("connect to", endpoint)?;
        let mut tasks = self.tasks();
        if tasks.connected.contains_key(endpoint) {
            let text = format!("cannot connect to {endpoint}: that was asked for already");
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
        }
        let task = dial::connect(self.node.hub(), &self.options, endpoint, &self.handle)?;
        tasks.connected.insert(endpoint.to_owned(), task);
        Ok(())
    }

    fn judge_alive(&self, verb: &str, endpoint: &str) -> io::Result<()> {
        match self.node.hub().is_shut_down() {
            false => Ok(()),
            true => Err(io::Error::other(format!("cannot {verb} {endpoint}: this side shut down"))),
        }
    }

    fn unbind(&self, endpoint: &str) -> io::Result<()> {
        let bound = self.tasks().bound.remove(endpoint);
        bound.map(|bound| bound.unbind()).ok_or_else(|| not_in_use("unbind", endpoint))
    }

    fn disconnect(&self, endpoint: &str) -> io::Result<()> {
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
struct Ends(Arc<Hub>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.shutdown();
    }
}

/// One sleep for all calls of an endpoint.
async fn run_timer(ends: Ends) {
    let hub = &ends.0;
    let mut sleep = Box::pin(sleep_until(hub.now().into()));
    poll_fn(|cx| {
        hub.poll_timer(cx, |cx, at| {
            if sleep.deadline() != at.into() {
                Sleep::reset(sleep.as_mut(), at.into());
            }
            sleep.as_mut().poll(cx)
        })
    })
    .await;
}

macro_rules! peering {
    (
        $(#[$doc:meta])* $name:ident, $options:path, $judge:path,
        $(#[$id:meta])* $argument:ident
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name(Peering);

        impl $name {
            $(#[$id])*
            ///
            /// # Errors
            /// The routing id is empty, over 255 bytes or begins with a zero byte; it is called
            /// outside a tokio runtime, or in one whose time or I/O driver is off (`enable_all` turns
            /// both on); the operating system gives no entropy.
            pub fn new($argument: impl AsRef<[u8]>) -> io::Result<Self> {
                Self::with($options($argument))
            }

            /// With settings of its own. A server needs a routing id there; a client may have none,
            /// and may be of no server: it then calls peers by name, and is called.
            ///
            /// # Errors
            /// As for [`new`](Self::new).
            pub fn with(options: Options) -> io::Result<Self> {
                $judge(&options)?;
                Peering::new(options).map(Self)
            }

            /// Listens on an endpoint: `tcp://host:port` (host `*` for any, port `*` or 0 for a free
            /// one), `ipc://path` or `ipc://@name`. Returns it with the real port. Several may be
            /// bound. Links are served until the node ends. Cancel-safe, and any executor may await it:
            /// the node's own runtime accepts.
            ///
            /// # Errors
            /// The endpoint is malformed or cannot be bound, or the node has ended: the error names it.
            pub async fn bind(&self, endpoint: &str) -> io::Result<String> {
                self.0.bind(endpoint, BindOptions::default()).await
            }

            /// The same with settings of that listener's own.
            ///
            /// # Errors
            /// As for [`bind`](Self::bind).
            pub async fn bind_with(
                &self,
                endpoint: &str,
                options: BindOptions,
            ) -> io::Result<String> {
                self.0.bind(endpoint, options).await
            }

            /// Connects to an endpoint, and again whenever that link ends, after a wait drawn from
            /// 0 to 100 ms at first and 0 to 30 s at last. Returns at once: see [`Node::ready`].
            /// Several may be connected to. A name's addresses are tried side by side, each for
            /// [`Options::connect_timeout`]; each that fails is a
            /// [`ConnectionEvent::Failed`](crate::ConnectionEvent::Failed).
            ///
            /// # Errors
            /// The endpoint is malformed or connected to already, or the node has ended: the error
            /// names it.
            pub fn connect(&self, endpoint: &str) -> io::Result<()> {
                self.0.connect(endpoint)
            }

            /// Listens no more on an endpoint, written as [`bind`](Self::bind) returned it. Links
            /// that were accepted there live on. When this returns the endpoint is free: it can be bound
            /// again.
            ///
            /// # Errors
            /// It is not bound.
            pub fn unbind(&self, endpoint: &str) -> io::Result<()> {
                self.0.unbind(endpoint)
            }

            /// Closes the link to an endpoint, and does not connect to it again. When this returns the
            /// link's session is over, as [`Reason::Disconnected`](pseud_proto::Reason::Disconnected):
            /// its calls have ended, and later ones wait for another link.
            ///
            /// # Errors
            /// It is not connected to.
            pub fn disconnect(&self, endpoint: &str) -> io::Result<()> {
                self.0.disconnect(endpoint)
            }

            /// Ends gracefully: takes no new requests, lets what is open finish for that long at
            /// most, then ends everything, and waits until peers have read what was written for them:
            /// for what is left of that time, but for one second at least and five at most. When this
            /// returns all endpoints are free. Says whether it was cut short.
            ///
            /// Any executor may await it. If this future is dropped, the node goes on refusing new
            /// requests, but lives.
            pub async fn drain(&self, at_most: Duration) -> Drain {
                within(&self.0.handle, drain(self.0.node.clone(), at_most)).await
            }
        }

        impl Deref for $name {
            type Target = Node;

            fn deref(&self) -> &Node {
                &self.0.node
            }
        }
    };
}

peering! {
    /// A peer that is known by a routing id, and serves. It may call its clients, too.
    ///
    /// It is a [`Node`]: register handlers and call peers there.
    Server, Options::server, names::judge_server,
    /// A server known by `user_id`: 1 to 255 bytes, the first not zero.
    user_id
}

peering! {
    /// A peer that calls one server. It may serve calls of that server, too.
    ///
    /// It is a [`Node`]: register handlers and call the server there.
    Client, Options::client, names::judge_client,
    /// A client of the server that is known by `server`: its user id.
    server
}
