//! A peer that others connect to.

use super::address::Address;
use super::options::Options;
use crate::endpoint_error::EndpointError;
use crate::node::{Drain, Peering, Serving, SetupError};
use crate::runtime::Runtime;
use pseud_proto::address::BadAddress;
use std::ops::Deref;
use std::time::Duration;

/// A server of kaa.rpc. It may call its clients, too: [`all_sessions`](crate::Server::all_sessions), or the
/// [`caller`](crate::Request::caller) of a request.
///
/// What it does besides is a [`Server`](crate::Server)'s: register handlers there. Those that are registered later are served to all that are
/// connected, where the reference serves them to later connections only.
///
/// ```no_run
/// use pseud::Fault;
/// use pseud::tokio::Tokio;
/// use pseud_async::kaa::Server;
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::<Tokio>::new("s3cret")?;
/// server.register_typed("add", |(a, b): (i64, i64), _| async move { Ok::<_, Fault>(a + b) })?;
/// server.bind("127.0.0.1:6000").await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Server<R: Runtime>(Peering<R, Serving>);

impl<R: Runtime> Server<R> {
    /// A server that shares that secret with its clients: of any length, empty for none.
    ///
    /// # Errors
    /// It is called outside a runtime, or in one that lacks what a node needs; the operating system
    /// gives no entropy.
    pub fn new(secret: impl Into<Vec<u8>>) -> Result<Self, SetupError> {
        Self::with_options(Options::new(secret))
    }

    /// With settings of its own.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn with_options(options: Options) -> Result<Self, SetupError> {
        Peering::start(options.into_node(false)).map(Self)
    }

    /// Listens on an address: `host:port` (port 0 for a free one), `/path` of a Unix socket, or its name
    /// in kaa's directory for temporary files, `$TMPDIR/kaa-<uid>`. Returns it with the real port, or
    /// the whole path. Several may be bound. Cancel-safe, and any executor may await it.
    ///
    /// # Errors
    /// The address is malformed, cannot be bound, or is not loopback and
    /// [`allow_plaintext`](Options::allow_plaintext) is not set ([`InClear`](crate::InClear)); or the
    /// node has ended.
    pub async fn bind<A>(&self, address: A) -> Result<Address, EndpointError>
    where
        A: TryInto<Address, Error: Into<BadAddress>>,
    {
        let address = address.try_into().map_err(Into::into)?;
        let endpoint = address.to_endpoint("bind")?;
        let bound = self.0.bind(&endpoint).await;
        Ok(bound.map_err(|error| error.of(&address))?.into())
    }

    /// Listens no more on an address, written as [`bind`](Self::bind) returned it: the reference's
    /// `Server.close`. Links that were accepted there live on. When this returns the address is free.
    ///
    /// # Errors
    /// It is not bound.
    pub fn unbind<A>(&self, address: A) -> Result<(), EndpointError>
    where
        A: TryInto<Address, Error: Into<BadAddress>>,
    {
        let address = address.try_into().map_err(Into::into)?;
        let endpoint = address.to_endpoint("unbind")?;
        self.0.unbind(&endpoint).map_err(|error| error.of(&address))
    }

    /// Ends it: takes no new calls, lets what is open finish for that long at most, writes what is
    /// queued, then closes all links. Says whether it was cut short. To end at once:
    /// [`shutdown`](Peering::shutdown).
    pub async fn close(&self, at_most: Duration) -> Drain {
        self.0.drain(at_most).await
    }
}

impl<R: Runtime> Deref for Server<R> {
    type Target = Peering<R, Serving>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}
