//! A peer that connects to one server.

use super::address::Address;
use super::options::Options;
use crate::endpoint_error::EndpointError;
use crate::node::{Calling, Drain, Peering, SetupError};
use crate::runtime::Runtime;
use pseud_proto::address::BadAddress;
use std::ops::Deref;
use std::time::Duration;

/// A client of kaa.rpc. It may serve calls of its server, too.
///
/// What it does besides is a [`Client`](crate::Client)'s: `client.call("do_something", (6,))` calls the server, with
/// [`kwargs`](crate::Call::kwargs) for keywords; handlers that are registered are served at once. Calls
/// that are made before the server has shown the secret wait for that.
///
/// ```no_run
/// use pseud::tokio::Tokio;
/// use pseud_async::kaa::Client;
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::<Tokio>::new("s3cret")?;
/// client.connect("127.0.0.1:6000")?;
/// let sum: i64 = client.call("add", (1, 2)).await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Client<R: Runtime>(Peering<R, Calling>);

impl<R: Runtime> Client<R> {
    /// A client that shares that secret with its server: of any length, empty for none.
    ///
    /// # Errors
    /// As for [`Server::new`](super::Server::new).
    pub fn new(secret: impl Into<Vec<u8>>) -> Result<Self, SetupError> {
        Self::with_options(Options::new(secret))
    }

    /// With settings of its own.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn with_options(options: Options) -> Result<Self, SetupError> {
        Peering::start(options.into_node(true)).map(Self)
    }

    /// Connects to an address, written as for [`Server::bind`](super::Server::bind), and again whenever
    /// that link ends, as [`Options::retry`] says. Returns at once: see [`ready`](crate::Client::ready). Several may be
    /// connected to, of one server: the second stands by.
    ///
    /// That the secret is not the server's is a
    /// [`ConnectionEvent::HandshakeFailed`](crate::ConnectionEvent::HandshakeFailed) of
    /// [`Insecure::SecretRefused`](pseud_proto::Insecure), at once the end of calls that waited for the link
    /// (not executed, for that reason), and logged. It goes on trying: the server's secret may change.
    ///
    /// # Errors
    /// The address is malformed, connected to already, or is not loopback and
    /// [`allow_plaintext`](Options::allow_plaintext) is not set ([`InClear`](crate::InClear)); or the
    /// node has ended.
    pub fn connect<A>(&self, address: A) -> Result<(), EndpointError>
    where
        A: TryInto<Address, Error: Into<BadAddress>>,
    {
        let address = address.try_into().map_err(Into::into)?;
        let endpoint = address.to_endpoint("connect to")?;
        self.0.connect(&endpoint).map_err(|error| error.of(&address))
    }

    /// Closes the link to an address, and does not connect to it again. When this returns its calls
    /// have ended.
    ///
    /// # Errors
    /// It is not connected to.
    pub fn disconnect<A>(&self, address: A) -> Result<(), EndpointError>
    where
        A: TryInto<Address, Error: Into<BadAddress>>,
    {
        let address = address.try_into().map_err(Into::into)?;
        let endpoint = address.to_endpoint("disconnect")?;
        self.0.disconnect(&endpoint).map_err(|error| error.of(&address))
    }

    /// Whether there is a server now that has shown the secret.
    pub fn is_connected(&self) -> bool {
        !self.0.node().all_sessions().is_empty()
    }

    /// Ends it: lets what is open finish for that long at most, writes what is queued, then closes the
    /// link. Says whether it was cut short. To end at once: [`shutdown`](Peering::shutdown).
    pub async fn close(&self, at_most: Duration) -> Drain {
        self.0.drain(at_most).await
    }
}

impl<R: Runtime> Deref for Client<R> {
    type Target = Peering<R, Calling>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}
