//! Servers and clients of kaa.rpc on `async-io`: see [`pseud_async::kaa`].
//!
//! ```
//! use pseud_asyncstd::kaa::{Client, Server};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> { async_io::block_on(async {
//! let server = Server::new("s3cret")?;
//! server.register_typed("add", |(a, b): (i64, i64), _| async move {
//!     Ok::<_, pseud_proto::Fault>(a + b)
//! })?;
//! let address = server.bind("127.0.0.1:0").await?;
//!
//! let client = Client::new("s3cret")?;
//! client.connect(&address)?;
//! let sum: i64 = client.call("add", (1, 2)).await?;
//! assert_eq!(sum, 3);
//! # Ok(()) }) }
//! ```

use crate::AsyncIo;
#[doc(inline)]
pub use pseud_async::kaa::{
    Address, BigInt, Complex, Config, FrozenSet, Options, PickledObject, Set, exts,
};

/// A server of kaa.rpc on `async-io`: see [`pseud_async::kaa::Server`].
pub type Server = pseud_async::kaa::Server<AsyncIo>;

/// A client of kaa.rpc on `async-io`: see [`pseud_async::kaa::Client`].
pub type Client = pseud_async::kaa::Client<AsyncIo>;
