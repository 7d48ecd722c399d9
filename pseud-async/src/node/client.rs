//! A peer that calls one server.

use super::{Node, names};
use crate::node::drain::Drain;
use crate::node::options::{BindOptions, Options};
use crate::node::peering::Peering;
use crate::runtime::Runtime;
use std::io;
use std::ops::Deref;
use std::time::Duration;

/// A peer that calls one server. It may serve calls of that server, too.
///
/// It is a [`Node`]: register handlers and call the server there.
///
/// ```no_run
/// use pseud::{Client, Options};
/// use std::time::Duration;
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::with(Options::client("service").identity("desk 1"))?;
/// client.connect("tcp://127.0.0.1:5555")?;
/// let hello = client.call("hello", ("Charly",)).timeout(Duration::from_secs(1));
/// let greeting: String = hello.await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Client<R: Runtime>(Peering<R>);

impl<R: Runtime> Client<R> {
    /// A client of the server that is known by `server`: its user id.
    ///
    /// # Errors
    /// As for [`Server::new`](crate::Server::new).
    pub fn new(server: impl AsRef<[u8]>) -> io::Result<Self> {
        Self::with(Options::client(server))
    }

    /// With settings of its own. It may have no routing id, and may be of no server: it then calls
    /// peers by name, and is called.
    ///
    /// # Errors
    /// As for [`Server::with`](crate::Server::with).
    pub fn with(options: Options) -> io::Result<Self> {
        names::judge_client(&options)?;
        Peering::new(options, R::current()?).map(Self)
    }

    /// Listens on an endpoint: see [`Server::bind`](crate::Server::bind).
    ///
    /// # Errors
    /// The same.
    pub async fn bind(&self, endpoint: &str) -> io::Result<String> {
        self.0.bind(endpoint, BindOptions::default()).await
    }

    /// The same with settings of that listener's own.
    ///
    /// # Errors
    /// The same.
    pub async fn bind_with(&self, endpoint: &str, options: BindOptions) -> io::Result<String> {
        self.0.bind(endpoint, options).await
    }

    /// Connects to an endpoint, and again whenever that link ends: see
    /// [`Server::connect`](crate::Server::connect).
    ///
    /// # Errors
    /// The same.
    pub fn connect(&self, endpoint: &str) -> io::Result<()> {
        self.0.connect(endpoint)
    }

    /// Listens no more on an endpoint: see [`Server::unbind`](crate::Server::unbind).
    ///
    /// # Errors
    /// The same.
    pub fn unbind(&self, endpoint: &str) -> io::Result<()> {
        self.0.unbind(endpoint)
    }

    /// Closes the link to an endpoint for good: see [`Server::disconnect`](crate::Server::disconnect).
    ///
    /// # Errors
    /// The same.
    pub fn disconnect(&self, endpoint: &str) -> io::Result<()> {
        self.0.disconnect(endpoint)
    }

    /// Ends gracefully: see [`Server::drain`](crate::Server::drain).
    pub async fn drain(&self, at_most: Duration) -> Drain {
        self.0.drain(at_most).await
    }
}

impl<R: Runtime> Deref for Client<R> {
    type Target = Node;

    fn deref(&self) -> &Node {
        self.0.node()
    }
}
