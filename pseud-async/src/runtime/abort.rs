//! Tasks that can be ended from outside.

use atomic_waker::AtomicWaker;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

/// Ends one task: its future is dropped by the task itself, at its next turn. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Abort(Arc<AbortState>);

#[derive(Debug, Default)]
struct AbortState {
    aborted: AtomicBool,
    waker: AtomicWaker,
}

impl Abort {
    /// Runs a future until it ends, or is to end.
    pub(crate) async fn unless_aborted(self, future: impl Future<Output = ()>) {
        let mut future = pin!(future);
        poll_fn(|cx| {
            self.0.waker.register(cx.waker());
            match self.0.aborted.load(Ordering::Acquire) {
                true => Poll::Ready(()),
                false => future.as_mut().poll(cx),
            }
        })
        .await;
    }

    /// Harmless the second time, and when the task is over.
    pub(crate) fn abort(&self) {
        self.0.aborted.store(true, Ordering::Release);
        self.0.waker.wake();
    }
}
