//! A peer that calls one server.

use super::lifecycle::UntilReady;
use super::peering::Peering;
use super::setup_error::SetupError;
use super::{Options, names};
use crate::call::Call;
use crate::call::service::Service;
use crate::runtime::Runtime;
use serde::Serialize;

/// A peer that calls one server. It may serve calls of that server, too.
///
/// ```no_run
/// use pseud::{Client, Options};
/// use std::time::Duration;
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::with_options(Options::client("service").identity("desk 1"))?;
/// client.connect("tcp://127.0.0.1:5555")?;
/// let hello = client.call("hello", ("Charly",)).timeout(Duration::from_secs(1));
/// let greeting: String = hello.await?;
/// # Ok(()) }
/// ```
pub type Client<R> = Peering<R, Calling>;

/// The role of a [`Client`].
#[derive(Debug)]
pub enum Calling {}

impl<R: Runtime> Peering<R, Calling> {
    /// A client of the server that is known by `server`: its user id.
    ///
    /// # Errors
    /// As for [`Server::new`](crate::Server::new).
    pub fn new(server: impl AsRef<[u8]>) -> Result<Self, SetupError> {
        Self::with_options(Options::client(server))
    }

    /// With settings of its own. It may have no identity, and may be of no server: it then calls
    /// peers by name, and is called.
    ///
    /// # Errors
    /// As for [`Server::with_options`](crate::Server::with_options).
    pub fn with_options(options: Options) -> Result<Self, SetupError> {
        names::check_client(&options)?;
        Self::start(options)
    }

    /// Calls the server. See [`Node::call`](crate::Node::call).
    pub fn call<T, A: Serialize>(&self, name: impl AsRef<str>, args: A) -> Call<T, A> {
        self.node().call(name, args)
    }

    /// A service of the server. See [`Node::service`](crate::Node::service).
    pub fn service(&self, name: impl AsRef<str>) -> Service {
        self.node().service(name)
    }

    /// Waits until the server's link is ready. See [`Node::ready`](crate::Node::ready).
    pub fn ready(&self) -> UntilReady {
        self.node().ready()
    }
}
