//! Futures against a runtime's clock.

use super::{Runtime, Timer};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

/// Longer than any process runs: what a wait comes to that the clock cannot count.
const FAR: Duration = Duration::from_secs(86_400 * 365 * 30);

/// So much later than that; 30 years where the clock cannot count so far.
pub fn after(now: Instant, wait: Duration) -> Instant {
    now.checked_add(wait).unwrap_or_else(|| now + FAR)
}

/// Waits so long.
pub(crate) async fn sleep<R: Runtime>(runtime: &R, wait: Duration) {
    let mut timer = runtime.timer(after(runtime.now(), wait));
    poll_fn(|cx| timer.poll(cx)).await;
}

/// What a future comes to; `None` if it has not by that moment.
pub(crate) async fn by<R: Runtime, F: Future>(
    runtime: &R,
    at: Instant,
    future: F,
) -> Option<F::Output> {
    let (mut future, mut timer) = (pin!(future), runtime.timer(at));
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => timer.poll(cx).map(|()| None),
    })
    .await
}

/// Polls a future as if that runtime did, whichever executor it is: the node's own sockets, timers and
/// threads are used.
pub(crate) async fn within<R: Runtime, F: Future>(runtime: &R, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|cx| runtime.enter(|| future.as_mut().poll(cx))).await
}
