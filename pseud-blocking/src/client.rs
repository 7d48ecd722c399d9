//! A peer that calls one server.

use crate::runtime::Threads;
use crate::wait::block_on;
use pseud_async::{Address, Drain, EndpointError, IntoAddress, Options, SetupError};
use std::io;
use std::ops::Deref;
use std::time::Duration;

/// A peer that calls one server, from any number of threads. It may serve calls of that server, too: while
/// a call waits, and in the background otherwise.
///
/// Cheap to clone; all clones are one, and it ends with the last of them.
///
/// It is a [`pseud_async::Client`] on [`Threads`]: whatever is a future
/// there, a thread waits for ([`Wait`](crate::Wait), [`block_on`]).
#[derive(Debug, Clone)]
pub struct Client(pseud_async::Client<Threads>);

crate::faces::handlers!(Client);
crate::faces::waiting!(Client);

impl Client {
    /// A client of the server that is known by `server`: its user id.
    ///
    /// # Errors
    /// As for [`Server::new`](crate::Server::new).
    pub fn new(server: impl AsRef<[u8]>) -> Result<Self, SetupError> {
        pseud_async::Client::new(server).map(Self)
    }

    /// With settings of its own. It may have no identity, and may be of no server: it then calls peers by
    /// name, and is called.
    ///
    /// # Errors
    /// As for [`Server::with_options`](crate::Server::with_options).
    pub fn with_options(options: Options) -> Result<Self, SetupError> {
        pseud_async::Client::with_options(options).map(Self)
    }

    /// Listens on an endpoint: see [`Server::bind`](crate::Server::bind).
    ///
    /// # Errors
    /// The same.
    pub fn bind(&self, endpoint: impl IntoAddress) -> Result<Address, EndpointError> {
        block_on(self.0.bind(endpoint))?
    }

    /// Ends gracefully: see [`pseud_async::Client::drain`].
    ///
    /// # Errors
    /// This thread must not block.
    pub fn drain(&self, at_most: Duration) -> io::Result<Drain> {
        Ok(block_on(self.0.drain(at_most))?)
    }
}

impl Deref for Client {
    type Target = pseud_async::Client<Threads>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}
