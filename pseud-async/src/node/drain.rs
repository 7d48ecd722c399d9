//! The graceful end of a node.

use super::Node;
use crate::runtime::Runtime;
use crate::runtime::time::{after, by};
use std::time::Duration;

/// How long peers may take to read what was written: what is left of the drain's time, within these.
const READING_MIN: Duration = Duration::from_secs(1);
const READING_MAX: Duration = Duration::from_secs(5);

/// How late links' tasks may be to notice that their time is over.
const LATENESS: Duration = Duration::from_millis(250);

/// How a drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Drain {
    /// Every open request was answered, every call of ours had its outcome, and every peer read to the
    /// end of its link or had left.
    Complete,
    /// The time was over before: what was still open was given up, or a peer had not closed its side.
    CutShort,
}

pub(crate) async fn drain<R: Runtime>(node: Node, at_most: Duration, runtime: R) -> Drain {
    let (host, began) = (node.host(), runtime.now());
    let finished = by(&runtime, after(began, at_most), node.drained()).await.is_some();
    let now = runtime.now();
    let left = at_most.saturating_sub(now.duration_since(began)).clamp(READING_MIN, READING_MAX);
    let until = now + left;
    host.shutdown_by(until);
    let read = by(&runtime, until + LATENESS, host.hub().sockets_closed()).await == Some(true);
    if finished && read { Drain::Complete } else { Drain::CutShort }
}
