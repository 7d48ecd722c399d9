//! OnDisconnect: handlers whose callers have left.

use crate::serve::cancelled::Cancelled;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

/// What becomes of an async handler that waits while its caller leaves: their link ends, or this node
/// shuts down.
///
/// It says nothing of inline and blocking handlers, which run to their end, as nothing can stop them.
/// Nor of a caller that only waits no longer: while its session lives, its handlers go on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnDisconnect {
    /// It is polled one last time, so that one that waits for
    /// [`Request::cancelled`](crate::Request::cancelled) may end in its own way, and is dropped if it
    /// still waits.
    ///
    /// So any `.await` of a handler may be its last: what was locked or borrowed is given back as it is
    /// dropped, its calls are cancelled. What must be finished once it was begun goes into a task of
    /// its own, for which the handler may wait.
    #[default]
    Cancel,
    /// It goes on to its end; the answer is dropped.
    ///
    /// Until then it is one of the `requests_open_max` of [`Limits`](pseud_proto::Limits) that all
    /// peers share: where handlers may wait for long, peers that call and leave keep everybody else
    /// out.
    Detach,
}

/// What `work` comes to; `None` once its caller is gone. It is polled one last time then, in which it
/// may hear of that.
pub(crate) async fn while_wanted<T>(
    gone: &mut Cancelled,
    mut work: impl FnMut(&mut Context<'_>) -> Poll<T>,
) -> Option<T> {
    poll_fn(|cx| {
        let gone = Pin::new(&mut *gone).poll(cx);
        let done = work(cx);
        match gone {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => done.map(Some),
        }
    })
    .await
}

#[cfg(test)]
mod tests;
