//! The node's own runtime, whichever executor polls a future.

use std::future::{Future, poll_fn};
use std::pin::pin;
use tokio::runtime::Handle;

/// Polls a future as if that runtime did: its sockets, timers and threads are used.
pub(crate) async fn within<F: Future>(handle: &Handle, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|cx| {
        let _entered = handle.enter();
        future.as_mut().poll(cx)
    })
    .await
}
