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

pub mod address;
pub mod backoff;
mod budget;
pub mod call;
pub mod config;
mod deadline;
pub mod error;
mod late_guard;
pub mod peer;
mod profile;
pub mod pseud;
pub mod registry;
mod siblings;
mod slab;
mod user;
pub mod value;
pub mod zmtp;

pub use budget::FloodLimit;
pub use call::{
    Action, CallId, CallOptions, Outcome, PeerId, Request, RequestId, Several, Ticket, To,
};
pub use config::{Config, Limits};

pub use error::{
    CallRefused, Exception, Executed, Fault, Incompatible, Insecure, Malformed, Misbehaved,
    PeerError, Reason, Refusal,
};
pub use late_guard::LateGuard;
pub use profile::{Capabilities, Profile};
pub use pseud::{Opened, Provenance};
pub use registry::Registry;
pub use siblings::{LinkId, Siblings};
pub use user::User;
pub use value::{Arguments, BadValue, Packed, Unchecked, Value, ValueLimits};
