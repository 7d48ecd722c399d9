//! How far the login of a peer has come.

use crate::base::budget::FloodBudget as NoiseBudget;
use crate::dialect::{Hello, WireId};
use crate::rpc::session::late::Guard;
use bytes::Bytes;
use std::time::Instant;

/// How far a peer's login has come.
#[derive(Debug, Default)]
pub(crate) struct Login {
    /// WORKs that were not run.
    pub(super) challenges: NoiseBudget,
    /// HELLOs that were wrong.
    pub(super) refused: u8,
    /// Until when it has to have logged in.
    pub(super) by: Option<Instant>,
    pub(super) asked: Option<AskedLogin>,
    /// As whom it has logged in.
    pub(super) login: Option<Bytes>,
}

/// A HELLO that is asked about.
#[derive(Debug)]
pub(crate) struct AskedLogin {
    pub(super) hello: Hello,
    /// The messages to answer, and until when.
    pub(super) waiting: Vec<(WireId, Guard)>,
}
