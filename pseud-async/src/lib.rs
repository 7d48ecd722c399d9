//! What pseud's async adapters share: calls and handlers around one endpoint, without a runtime.
//!
//! Nothing here opens a socket, reads a clock or starts a task: an adapter hands in a clock and a
//! way to spawn ([`Runtime`]), reads bytes into [`Link`]s, and drives the one timer. Applications use
//! an adapter (`pseud-tokio`), whose `Server` and `Client` are [`Node`]s.
//!
//! The hot path has no timer, channel, task or copy of its own for a call: a call is a slot
//! {waker, outcome} beside the endpoint under one short lock, its deadline lives in the endpoint,
//! and a handler is polled once where its request arrives.
#![cfg_attr(docsrs, feature(doc_cfg))]

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
mod gate;
mod guard;
mod handler;
mod hub;
mod link;
mod nested;
mod node;
mod orphans;
mod peer;
mod pending;
mod refusals;
mod registry;
mod request;
mod resolve;
mod responder;
mod running;
mod serve;
mod service;
mod sockets;
mod stranger;
mod tally;
mod timer;
mod waits;
mod withheld;

pub use authenticator::{Authenticator, Source};
pub use call::Call;
pub use call_all::CallAll;
pub use call_error::CallError;
pub use caller::Caller;
pub use cancelled::Cancelled;
pub use dial::Dial;
pub use events::{ConnectionEvent, Events};
pub use gate::{Gate, Permit};
pub use handler::HandlerError;
pub use hub::{Hub, Runtime, ShutDown, Sleep, Spawn, SpawnBlocking};
pub use link::{Fed, Flushed, Link, Origin, Writer};
pub use node::Node;
pub use orphans::Orphans;
pub use peer::Peer;
pub use pseud_proto::registry::NameRefused;
#[doc(hidden)]
pub use registry::name_of;
pub use registry::{Object, Registry};
pub use request::Request;
pub use service::Service;
pub use sockets::{Listening, OpenSocket, SocketsClosed};
pub use waits::{Drained, Ready};
