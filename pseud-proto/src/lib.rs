//! The sans-IO core of pseud: bytes and events in, bytes and actions out.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::iter_over_hash_type,
    clippy::disallowed_methods,
    clippy::disallowed_types
)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::disallowed_methods,
        reason = "a test that panics is a test that fails"
    )
)]

mod auth;
mod base;
mod call;
mod channel;
mod dialect;
mod error;
#[cfg(feature = "kaa")]
pub mod kaa;
mod link;
mod message;
pub mod pseud;
pub mod registry;
mod rpc;
#[cfg(feature = "rpcudp")]
pub mod rpcudp;
pub mod session;
pub mod value;
mod wire;

pub use auth::credentials::Credentials;
pub use auth::strangers::{
    HandshakeEnd, StrangerDropped, StrangerLimits, StrangerStats, Strangers,
};
pub use auth::user::User;
pub use base::budget::FloodLimit;
pub use base::progress::ProgressLimit;
pub use base::{address, backoff};
pub use call::late_guard::LateGuard;
pub use call::profile::{Capabilities, Profile};
pub use call::siblings::{LinkId, Siblings};
pub use call::{
    Action, CallId, CallOptions, Outcome, PeerId, Request, RequestId, Several, ShowingStep, Ticket,
    To, WhenFull, peer,
};
pub use dialect::pseud::origin::{Opened, Provenance};
pub use error::{
    CallRefused, Exception, Executed, Fault, Incompatible, Insecure, Malformed, Misbehaved,
    Parting, PeerError, Reason, Refusal,
};
pub use rpc::config::{CALL_TIMEOUT_MAX, Config, Limits, UserSessions};
pub use wire::zmtp;
