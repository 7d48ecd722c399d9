//! A peer that is known by an identity, and serves.

use crate::runtime::Threads;
use crate::wait::block_on;
use pseud_async::{Address, BindOptions, Drain, EndpointError, IntoAddress, Options, SetupError};
use std::io;
use std::ops::Deref;
use std::time::Duration;

/// A peer that is known by an identity, and serves on threads of its own. It may call its clients, too.
///
/// What is bound is served from then on, in the background: [`serve`](Self::serve) is for programs that do
/// nothing else. Cheap to clone; all clones are one, and it ends with the last of them.
///
/// It is a [`pseud_async::Server`] on [`Threads`]: whatever is a future
/// there, a thread waits for ([`Wait`](crate::Wait), [`block_on`]).
#[derive(Debug, Clone)]
pub struct Server(pseud_async::Server<Threads>);

crate::faces::handlers!(Server);
crate::faces::waiting!(Server);

impl Server {
    /// A server known by `user_id`: 1 to 255 bytes, the first not zero.
    ///
    /// # Errors
    /// The identity is empty, over 255 bytes or begins with a zero byte; the system gives no thread, no
    /// descriptors or no entropy.
    pub fn new(user_id: impl AsRef<[u8]>) -> Result<Self, SetupError> {
        pseud_async::Server::new(user_id).map(Self)
    }

    /// With settings of its own. It needs an identity there.
    ///
    /// # Errors
    /// As for [`new`](Self::new), and settings that contradict each other.
    pub fn with_options(options: Options) -> Result<Self, SetupError> {
        pseud_async::Server::with_options(options).map(Self)
    }

    /// Listens on an endpoint: see [`pseud_async::Server::bind`]. Where it is a name, waits for the
    /// resolver.
    ///
    /// # Errors
    /// The endpoint is malformed or cannot be bound, the node has ended, or this thread must not block.
    pub fn bind(&self, endpoint: impl IntoAddress) -> Result<Address, EndpointError> {
        block_on(self.0.bind(endpoint))?
    }

    /// The same with settings of that listener's own.
    ///
    /// # Errors
    /// As for [`bind`](Self::bind).
    pub fn bind_with(
        &self,
        endpoint: impl IntoAddress,
        options: BindOptions,
    ) -> Result<Address, EndpointError> {
        block_on(self.0.bind_with(endpoint, options))?
    }

    /// Ends gracefully: see [`pseud_async::Server::drain`].
    ///
    /// # Errors
    /// This thread must not block.
    pub fn drain(&self, at_most: Duration) -> io::Result<Drain> {
        Ok(block_on(self.0.drain(at_most))?)
    }
}

impl Deref for Server {
    type Target = pseud_async::Server<Threads>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}
