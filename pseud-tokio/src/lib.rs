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
//! drivers on; [`Server::new`] and [`Client::new`] are called inside it, and fail elsewhere.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod accept;
mod connect;
mod dial;
mod drain;
mod driver;
mod failure;
mod farewell;
pub mod files;
mod listener;
mod names;
mod options;
mod peers;
mod runtime;
mod security;
mod socket;
#[cfg(unix)]
mod socket_file;
mod within;

pub use drain::Drain;
pub use options::{BindOptions, Options};
pub use peers::{Client, Server};
pub use pseud_async::{
    Authenticator, Call, CallAll, CallError, Caller, Cancelled, ConnectionEvent, Drained, Events,
    Gate, HandlerError, NameRefused, Node, Object, Orphans, Peer, Permit, Ready, Registry, Request,
    Service, Source, register,
};
pub use security::InClear;
