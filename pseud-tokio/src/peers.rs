//! `Server` and `Client`: nodes that bind and connect.

use crate::options::Options;
use crate::{accept, dial};
use pseud_async::{Hub, Node, Runtime};
use pseud_proto::backoff::Retry;
use pseud_proto::zmtp::ConnectionConfig;
use std::future::{Future, poll_fn};
use std::io;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Instant;
use tokio::runtime::Handle;
use tokio::time::{Sleep, sleep_until};

/// A [`Node`] on tokio: what a server and a client have in common.
#[derive(Debug, Clone)]
struct Peering {
    node: Node,
    connection: Arc<ConnectionConfig>,
    retry: Retry,
}

impl Peering {
    fn new(options: Options) -> io::Result<Self> {
        let handle = Handle::try_current().map_err(io::Error::other)?;
        let blocking = handle.clone();
        let spawner = handle.clone();
        let runtime = Runtime {
            clock: Instant::now,
            spawn: Box::new(move |future| drop(spawner.spawn(future))),
            spawn_blocking: Box::new(move |run| drop(blocking.spawn_blocking(run))),
        };
        let hub = Arc::new(Hub::new(Arc::new(options.config), runtime)?);
        handle.spawn(run_timer(hub.clone()));
        let connection = Arc::new(options.connection);
        Ok(Self { node: Node::new(hub), connection, retry: options.retry })
    }

    async fn bind(&self, endpoint: &str) -> io::Result<String> {
        accept::bind(self.node.hub(), &self.connection, endpoint).await
    }

    fn connect(&self, endpoint: &str) -> io::Result<()> {
        dial::connect(self.node.hub(), &self.connection, self.retry, endpoint)
    }
}

/// One sleep for all calls of an endpoint.
async fn run_timer(hub: Arc<Hub>) {
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
    ($(#[$doc:meta])* $name:ident, $options:path, $(#[$id:meta])* $argument:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name(Peering);

        impl $name {
            $(#[$id])*
            ///
            /// # Errors
            /// It is called outside a tokio runtime, or the operating system gives no entropy.
            pub fn new($argument: impl AsRef<[u8]>) -> io::Result<Self> {
                Self::with($options($argument))
            }

            /// With settings of its own.
            ///
            /// # Errors
            /// As for [`new`](Self::new).
            pub fn with(options: Options) -> io::Result<Self> {
                Peering::new(options).map(Self)
            }

            /// Listens on `tcp://host:port`; returns the endpoint with the real port where `*` or 0
            /// was asked for. Links are served until the node ends.
            ///
            /// # Errors
            /// The endpoint is malformed or cannot be bound: the error names it.
            pub async fn bind(&self, endpoint: &str) -> io::Result<String> {
                self.0.bind(endpoint).await
            }

            /// Connects to `tcp://host:port`, and again whenever that link ends, after a wait drawn
            /// from 0 to 100 ms at first and 0 to 30 s at last. Returns at once: see
            /// [`Node::ready`].
            ///
            /// # Errors
            /// The endpoint is malformed: the error names it.
            pub fn connect(&self, endpoint: &str) -> io::Result<()> {
                self.0.connect(endpoint)
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
    Server, Options::server,
    /// A server known by `user_id`: at most 255 bytes, the first not zero.
    user_id
}

peering! {
    /// A peer that calls one server. It may serve calls of that server, too.
    ///
    /// It is a [`Node`]: register handlers and call the server there.
    Client, Options::client,
    /// A client of the server that is known by `server`: its user id.
    server
}
