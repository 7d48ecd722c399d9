//! Answers that are not sent, said to whoever runs the node.

use crate::engine::event::shown;
use pseud_proto::peer::PeerInfo;
use std::sync::Arc;

/// An answer that was withheld.
#[derive(Debug)]
pub(crate) struct Withheld {
    pub(crate) caller: Arc<PeerInfo>,
    pub(crate) name: String,
}

impl Withheld {
    /// Warns of it, or of so many of which it is the last.
    pub(crate) fn warn(&self, count: Option<u64>) {
        let Self { caller, name } = self;
        let user = (!caller.user.is_anonymous()).then(|| tracing::field::display(&caller.user));
        tracing::warn!(
            method = ?name, peer = %shown(&caller.identity), address = %caller.address, user,
            late_guard = %caller.late_guard.unwrap_or_default(), count,
            "an answer was withheld: it was ready only after the late guard, and a Python caller that \
             waits no longer would die of it; if callers there wait longer, raise late_guard \
             (Options::late_guard, BindOptions::late_guard, pseud serve --late-guard)"
        );
    }
}
