//! How far the login of a peer has come.

use crate::base::budget::FloodBudget as NoiseBudget;
use crate::call::late_guard::Guard;
use crate::call::wire_id::WireId;
use crate::dialect::Hello;
use bytes::Bytes;
use std::time::{Duration, Instant};

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
    /// The last HELLO that was wrong, and when that was said.
    pub(super) denied: Option<(Hello, Instant)>,
}

/// A HELLO that was wrong so short a time ago is as wrong now: clients show one again at once
/// ([`Limits::logins_shown_max`](crate::Limits::logins_shown_max)), which is the same typing error.
const STILL_WRONG: Duration = Duration::from_secs(1);

impl Login {
    /// Whether that was answered a moment ago.
    pub(super) fn is_denied(&mut self, hello: &Hello, now: Instant) -> bool {
        let is_recent =
            |(_, at): &mut (Hello, Instant)| now.saturating_duration_since(*at) < STILL_WRONG;
        self.denied.take_if(|denied| !is_recent(denied));
        self.denied.as_ref().is_some_and(|(denied, _)| denied == hello)
    }
}

/// A HELLO that is asked about.
#[derive(Debug)]
pub(crate) struct AskedLogin {
    pub(super) hello: Hello,
    /// The messages to answer, and until when.
    pub(super) waiting: Vec<(WireId, Guard)>,
}
