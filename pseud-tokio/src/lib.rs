//! pseud on tokio: [`Server`] and [`Client`] over TCP and Unix sockets.
//!
//! ```no_run
//! use pseud_tokio::{Client, Server};
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
//! One task a link reads, parses, runs handlers and writes; one task an endpoint sleeps until the
//! next deadline of all its calls. Both must be driven by a tokio runtime with its I/O and time
//! drivers on; [`Server::new`] and [`Client::new`] are called inside it, and fail elsewhere. Where it is dropped
//! its nodes end: their calls do, on whatever thread they are waited for.
//!
//! A child that is `fork`ed and does not `exec` has none of the runtime's threads, but shares the parent's sockets
//! and its poller: neither is of use there, and the child makes a runtime of its own. Children that `exec` inherit
//! nothing.
#![cfg_attr(docsrs, feature(doc_cfg))]

#[doc(hidden)]
pub mod adapter;
#[cfg(feature = "kaa")]
pub mod kaa;
mod listener;
#[cfg(feature = "rpcudp")]
pub mod rpcudp;
mod runtime;
mod socket;

#[doc(inline)]
pub use pseud_async::surface::*;
pub use runtime::Tokio;

/// A server on tokio: see [`pseud_async::Server`].
pub type Server = pseud_async::Server<Tokio>;

/// A client on tokio: see [`pseud_async::Client`].
pub type Client = pseud_async::Client<Tokio>;
