//! pseud's servers and clients, on whichever runtime an adapter lends them.
//!
//! Nothing here starts a task, reads a clock or waits for a socket by itself: an adapter does, as a
//! [`Runtime`](adapter::Runtime) with its stream, listener and timer. Applications use an adapter
//! (`pseud-tokio`), whose `Server` and `Client` are [`Server`] and [`Client`] on its runtime.
//!
//! The hot path has no timer, channel, task or copy of its own for a call: a call is a slot
//! {waker, outcome} beside the endpoint under one short lock, its deadline lives in the endpoint,
//! and a handler is polled once where its request arrives.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod abort;
#[doc(hidden)]
pub mod adapter;
mod authenticator;
mod call;
mod call_all;
mod call_error;
mod caller;
mod cancelled;
mod caught;
mod crowd;
mod dial;
mod effects;
mod events;
pub mod files;
mod gate;
mod guard;
mod handler;
mod hub;
mod io_error;
mod link;
mod nested;
mod node;
mod orphans;
mod os;
mod peer;
mod pending;
mod refusals;
mod registry;
mod request;
mod resolve;
mod responder;
mod running;
mod runtime;
mod serve;
mod service;
mod sockets;
mod stranger;
mod tally;
mod time;
mod timer;
mod waits;
mod withheld;

pub use authenticator::{Authenticator, Source};
pub use call::Call;
pub use call_all::CallAll;
pub use call_error::CallError;
pub use caller::Caller;
pub use cancelled::Cancelled;
pub use events::{ConnectionEvent, Events};
pub use gate::{Gate, Permit};
pub use handler::HandlerError;
pub use node::{BindOptions, Client, Drain, InClear, Node, Options, Server};
pub use orphans::Orphans;
pub use peer::Peer;
pub use pseud_proto::registry::NameRefused;
#[doc(hidden)]
pub use registry::name_of;
pub use registry::{Object, Registry};
pub use request::Request;
pub use service::Service;
pub use waits::{Drained, Ready};
