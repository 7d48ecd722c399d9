//! pseud on plain threads: [`Server`] and [`Client`] over TCP and Unix sockets, no runtime in sight.
//!
//! ```no_run
//! use pseud_blocking::{Client, Server, Wait};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::new("service")?;
//! server.register("hello", |request| {
//!     let (name,): (String,) = request.args()?;
//!     Ok::<_, pseud_proto::Fault>(format!("Hello {name}"))
//! })?;
//! let endpoint = server.bind("tcp://127.0.0.1:0")?;
//!
//! let client = Client::new("service")?;
//! client.connect(&endpoint)?;
//! let greeting: String = client.call("hello", ("Charly",)).wait()?;
//! assert_eq!(greeting, "Hello Charly");
//! # Ok(()) }
//! ```
//!
//! One thread a node waits for its sockets and timers and reads what comes; handlers run on a pool of at
//! most so many ([`Threads`]). A caller that is alone reads its answer itself: see [`Wait::wait`].
//!
//! A child that is `fork`ed and does not `exec` has none of these threads, but shares the parent's sockets: a node
//! is of no use there, and the child makes its own. Children that `exec` inherit nothing.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg(unix)]

#[doc(hidden)]
pub mod adapter;
mod client;
mod faces;
mod inside;
#[cfg(feature = "kaa")]
pub mod kaa;
#[cfg(feature = "rpcudp")]
pub mod rpcudp;
mod runtime;
mod server;
mod socket;
mod threads;
mod wait;
#[cfg(feature = "zmq")]
pub mod zmq;

pub use client::Client;
pub use inside::WouldBlock;
#[doc(inline)]
pub use pseud_async::surface::*;
pub use runtime::Threads;
pub use server::Server;
pub use wait::{Wait, block_on};
