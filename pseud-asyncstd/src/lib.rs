//! pseud on `async-io`: [`Server`] and [`Client`] over TCP and Unix sockets, under smol, async-std,
//! `futures::executor` or plain `async_io::block_on`.
//!
//! ```no_run
//! use pseud_asyncstd::{Client, Server};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::new("service")?;
//! server.register("hello", |request| async move {
//!     let (name,): (String,) = request.args()?;
//!     Ok::<_, pseud_proto::Fault>(format!("Hello {name}"))
//! })?;
//! let endpoint = server.bind("tcp://127.0.0.1:0").await?;
//!
//! let client = Client::new("service")?;
//! client.connect(&endpoint)?;
//! let greeting: String = client.call("hello", ("Charly",)).await?;
//! assert_eq!(greeting, "Hello Charly");
//! # Ok(()) }
//! ```
//!
//! Whichever executor polls them: sockets and timers are `async-io`'s, which has a thread for them, and
//! a node's own tasks run on an executor of this crate with one thread; with the feature `async-std` on
//! async-std's.
//!
//! A child that is `fork`ed and does not `exec` has none of these threads, but shares the parent's sockets and
//! `async-io`'s poller: neither is of use there, and the child makes no node of this crate. Children that `exec`
//! inherit nothing.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg(unix)]

#[doc(hidden)]
pub mod adapter;
mod executor;
#[cfg(feature = "kaa")]
pub mod kaa;
mod listener;
#[cfg(feature = "rpcudp")]
pub mod rpcudp;
mod runtime;
mod socket;

#[doc(inline)]
pub use pseud_async::surface::*;
pub use runtime::AsyncIo;

/// A server on `async-io`: see [`pseud_async::Server`].
pub type Server = pseud_async::Server<AsyncIo>;

/// A client on `async-io`: see [`pseud_async::Client`].
pub type Client = pseud_async::Client<AsyncIo>;
