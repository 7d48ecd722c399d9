//! What others ask of a link, whatever its socket is.

use super::activity::Activity;
use pseud_proto::Reason;
use pseud_proto::zmtp::Verdict;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

/// A link as the engine knows it. It owns what it needs of its node: the circle of the two is cut when
/// the link is over.
pub(crate) trait AnyLink: fmt::Debug + Send + Sync {
    /// Writes at once from this task if the link is free, else wakes the link's own task.
    fn flush_now(&self);
    /// Whether the link's task will flush without being told, at its next poll. Asked under its session's
    /// lock, which the task takes for that after it was polled: so what is queued by then goes along.
    fn will_flush(&self) -> bool {
        false
    }
    /// Lets the link's task gather and write.
    fn wake_to_flush(&self);
    /// Its session has ended.
    fn close(&self, reason: Reason);
    /// Somebody has decided whether its peer may come in, or is who its HELLO says.
    fn answer(self: Arc<Self>, verdict: Verdict);
    /// Until when an answer means something.
    fn answer_by(&self) -> Option<Instant>;
    /// That is who is not let in, for the line that says that the link has failed.
    fn denies(&self, who: String);
    /// What goes on there; `None` where nobody counts it.
    fn activity(&self) -> Option<&Activity> {
        None
    }
    /// Ready once the link has ended. One task may wait for it: that which asks about the peer.
    fn poll_ended(&self, cx: &mut Context<'_>) -> Poll<()>;
}
