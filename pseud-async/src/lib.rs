//! pseud's servers and clients, on whichever runtime an adapter lends them.
//!
//! Nothing here starts a task, reads a clock or waits for a socket by itself: an adapter does, as a
//! [`Runtime`](adapter::Runtime) with its stream, listener and timer. Applications use an adapter
//! (`pseud-tokio`), whose `Server` and `Client` are [`Server`] and [`Client`] on its runtime.
//!
//! The hot path has no timer, channel, task or copy of its own for a call: a call is a slot
//! {waker, outcome} beside its session under that link's short lock, its deadline lives in the session,
//! and a handler is polled once where its request arrives.
#![cfg_attr(docsrs, feature(doc_cfg))]

#[doc(hidden)]
pub mod adapter;
mod auth;
mod call;
#[cfg(feature = "rpcudp")]
mod datagram;
mod endpoint_error;
mod engine;
mod entropy;
pub mod files;
mod io_error;
#[cfg(feature = "kaa")]
pub mod kaa;
mod link;
mod node;
mod os;
mod panics;
mod presence;
#[cfg(feature = "rpcudp")]
pub mod rpcudp;
mod runtime;
mod serve;
#[doc(hidden)]
pub mod surface;

pub use auth::authenticator::{Authenticate, Authenticator, Judging, Source};
#[cfg(feature = "_curve")]
pub use auth::curve_logins::CurveLogins;
pub use auth::permit::Permit;
pub use auth::places::Admission;
#[cfg(feature = "_curve")]
pub use auth::trusted_keys::TrustedKeys;
pub use auth::user_store::UserStore;
pub use call::Call;
pub use call::all::CallAll;
pub use call::error::CallError;
pub use call::peer::Peer;
pub use call::service::Service;
pub use endpoint_error::{EndpointError, InClear};
pub use engine::event::LinkEvent;
pub use node::events::{ConnectionEvent, Events};
pub use node::lifecycle::{Drained, UntilReady};
pub use node::{
    AuthBackend, AuthBackends, BindOptions, Calling, Client, Drain, HeartbeatBackend,
    HeartbeatBackends, Node, Options, Peering, Role, Security, Server, Serving, SetupError,
    Ticking,
};
pub use presence::beats::{OnSilence, Sign};
pub use presence::feed::{Change, PresenceFeed, Who};
pub use presence::pages::Peers;
pub use presence::status::PeerStatus;
pub use presence::store::{MemoryPresence, PresenceEntry, PresenceStore, Storing};
pub use presence::stream::{Presence, PresenceEvent};
pub use pseud_proto::address::{Address, BadAddress, IntoAddress};
pub use pseud_proto::registry::NameRefused;
pub use serve::caller::{Caller, Wire};
pub use serve::cancelled::Cancelled;
pub use serve::handler::HandlerError;
pub use serve::on_disconnect::OnDisconnect;
pub use serve::registry::Registry;
#[doc(hidden)]
pub use serve::registry::macros::name_of;
pub use serve::registry::object::Object;
pub use serve::request::Request;
/// Short texts: what a [`PresenceStore`] is told.
#[doc(no_inline)]
pub use smol_str::SmolStr;
