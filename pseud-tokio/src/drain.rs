//! The graceful end of a node.

use pseud_async::Node;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// How long peers may take to read what was written: what is left of the drain's time, within these.
const READING_MIN: Duration = Duration::from_secs(1);
const READING_MAX: Duration = Duration::from_secs(5);

/// How late links' tasks may be to notice that their time is over.
const LATENESS: Duration = Duration::from_millis(250);

/// How a drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drain {
    /// Every open request was answered, every call of ours had its outcome, and every peer read to the
    /// end of its link or had left.
    Complete,
    /// The time was over before: what was still open was given up, or a peer had not closed its side.
    CutShort,
}

pub(crate) async fn drain(node: Node, at_most: Duration) -> Drain {
    let (hub, began) = (node.hub(), Instant::now());
    let finished = timeout(at_most, node.drained()).await.is_ok();
    let left = at_most.saturating_sub(began.elapsed()).clamp(READING_MIN, READING_MAX);
    let until = Instant::now() + left;
    hub.shutdown_by(until.into());
    let read = timeout_at(until + LATENESS, hub.sockets_closed()).await == Ok(true);
    if finished && read { Drain::Complete } else { Drain::CutShort }
}
