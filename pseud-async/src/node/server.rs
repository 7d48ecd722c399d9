//! A peer that is known by a routing id, and serves.

use super::{Node, names};
use crate::node::drain::Drain;
use crate::node::options::{BindOptions, Options};
use crate::node::peering::Peering;
use crate::runtime::Runtime;
use std::io;
use std::ops::Deref;
use std::time::Duration;

/// A peer that is known by a routing id, and serves. It may call its clients, too.
///
/// It is a [`Node`]: register handlers and call peers there.
///
/// ```no_run
/// use pseud::{Fault, Server};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::new("service")?;
/// server.register("hello", |request| async move {
///     let (name,): (String,) = request.args()?;
///     Ok::<_, Fault>(format!("Hello {name}"))
/// })?;
/// server.bind("tcp://127.0.0.1:5555").await?;
/// let sum: i64 = server.user("charly").call("add", (2, 4)).await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Server<R: Runtime>(Peering<R>);

impl<R: Runtime> Server<R> {
    /// A server known by `user_id`: 1 to 255 bytes, the first not zero.
    ///
    /// # Errors
    /// The routing id is empty, over 255 bytes or begins with a zero byte; it is called outside a
    /// runtime, or in one that lacks what a node needs (of tokio: the time or the I/O driver, which
    /// `enable_all` turns on); the operating system gives no entropy.
    pub fn new(user_id: impl AsRef<[u8]>) -> io::Result<Self> {
        Self::with(Options::server(user_id))
    }

    /// With settings of its own. It needs a routing id there.
    ///
    /// # Errors
    /// As for [`new`](Self::new), and settings that contradict each other.
    pub fn with(options: Options) -> io::Result<Self> {
        names::judge_server(&options)?;
        Peering::new(options, R::current()?).map(Self)
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
    pub async fn bind_with(&self, endpoint: &str, options: BindOptions) -> io::Result<String> {
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
        self.0.drain(at_most).await
    }
}

impl<R: Runtime> Deref for Server<R> {
    type Target = Node;

    fn deref(&self) -> &Node {
        self.0.node()
    }
}
