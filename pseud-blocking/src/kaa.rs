//! Servers and clients of kaa.rpc on plain threads: see [`pseud_async::kaa`].
//!
//! ```no_run
//! use pseud_blocking::{Wait, kaa};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = kaa::Server::new("s3cret")?;
//! server.register("add", |request| {
//!     let (a, b): (i64, i64) = request.args()?;
//!     Ok::<_, pseud_proto::Fault>(a + b)
//! })?;
//! let address = server.bind("127.0.0.1:0")?;
//!
//! let client = kaa::Client::new("s3cret")?;
//! client.connect(&address)?;
//! let sum: i64 = client.call("add", (1, 2)).wait()?;
//! assert_eq!(sum, 3);
//! # Ok(()) }
//! ```

use crate::runtime::Threads;
use crate::wait::block_on;
use pseud_async::{BadAddress, Drain, EndpointError, SetupError};
use std::io;
use std::ops::Deref;
use std::time::Duration;

#[doc(inline)]
pub use pseud_async::kaa::{
    Address, BigInt, Complex, Config, FrozenSet, Options, PickledObject, Set, exts,
};

/// A server of kaa.rpc, whose handlers run on threads of a pool: a [`pseud_async::kaa::Server`] on
/// [`Threads`]. Cheap to clone; all clones are one, and it ends with the last of them.
#[derive(Debug, Clone)]
pub struct Server(pseud_async::kaa::Server<Threads>);

/// A client of kaa.rpc, which any number of threads call with: a [`pseud_async::kaa::Client`] on
/// [`Threads`]. Cheap to clone; all clones are one, and it ends with the last of them.
#[derive(Debug, Clone)]
pub struct Client(pseud_async::kaa::Client<Threads>);

/// What both have.
macro_rules! end {
    ($name:ident) => {
        crate::faces::handlers!($name);
        crate::faces::waiting!($name);

        impl $name {
            /// One that shares that secret with its peers: of any length, empty for none.
            ///
            /// # Errors
            /// The system gives no thread, no descriptors or no entropy.
            pub fn new(secret: impl Into<Vec<u8>>) -> Result<Self, SetupError> {
                pseud_async::kaa::$name::new(secret).map(Self)
            }

            /// With settings of its own.
            ///
            /// # Errors
            /// As for [`new`](Self::new).
            pub fn with_options(options: Options) -> Result<Self, SetupError> {
                pseud_async::kaa::$name::with_options(options).map(Self)
            }

            #[doc = concat!("Ends it in order: see [`pseud_async::kaa::", stringify!($name), "::close`].")]
            ///
            /// # Errors
            /// This thread must not block.
            pub fn close(&self, at_most: Duration) -> io::Result<Drain> {
                Ok(block_on(self.0.close(at_most))?)
            }
        }

        impl Deref for $name {
            type Target = pseud_async::kaa::$name<Threads>;

            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }
    };
}

end!(Server);
end!(Client);

impl Server {
    /// Listens on an address: see [`pseud_async::kaa::Server::bind`]. Where it is a name, waits for the
    /// resolver.
    ///
    /// # Errors
    /// The same, and this thread must not block.
    pub fn bind<A>(&self, address: A) -> Result<Address, EndpointError>
    where
        A: TryInto<Address, Error: Into<BadAddress>>,
    {
        block_on(self.0.bind(address))?
    }
}
