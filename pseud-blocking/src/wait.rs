//! Waiting on a plain thread for what a node comes to.

use crate::inside::{WouldBlock, may_block};
use crate::socket::reader::{Noting, read_until};
use pseud_async::{Call, CallAll, CallError};
use pseud_proto::CallRefused;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// Waits for a future of a node's on this thread: `block_on(client.ready())`,
/// `block_on(events.next())`. It has no time-out of its own: calls have theirs.
///
/// # Errors
/// [`WouldBlock`]: nothing was begun, since this thread must not block.
pub fn block_on<F: Future>(future: F) -> Result<F::Output, WouldBlock> {
    may_block()?;
    Ok(wait(future))
}

/// Calls that a thread waits for.
pub trait Wait {
    /// What becomes of it.
    type Output;

    /// Makes the call, and waits for its result on this thread: at most for the call's time-out. From any
    /// number of threads at once; requests that come meanwhile are served.
    ///
    /// The only thread that waits for a link reads it itself, so that a call costs a write and a read. What
    /// ends such a call otherwise than by its answer (a lost link, [`shutdown`](crate::Client)) may be
    /// noticed up to 20 ms late.
    ///
    /// # Errors
    /// Those of the call. [`CallRefused::WouldBlock`]: nothing was sent, since this thread must not block:
    /// it runs an async runtime's tasks, or a node's.
    fn wait(self) -> Result<Self::Output, CallError>;
}

impl<T: DeserializeOwned, A: Serialize, K: Serialize> Wait for Call<T, A, K> {
    type Output = T;

    fn wait(self) -> Result<T, CallError> {
        block_on(self).map_err(refused)?
    }
}

impl<T: DeserializeOwned, A: Serialize, K: Serialize> Wait for CallAll<T, A, K> {
    /// One result for each peer.
    type Output = Vec<Result<T, CallError>>;

    fn wait(self) -> Result<Self::Output, CallError> {
        block_on(self).map_err(refused)
    }
}

pub(crate) fn refused(_: WouldBlock) -> CallError {
    CallRefused::WouldBlock.into()
}

fn wait<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let noting = Noting::begin();
    let sleeper = Sleeper::of_this_thread();
    let waker = Waker::from(sleeper.clone());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        if let Some(raw) = noting.as_ref().and_then(Noting::take) {
            read_until(&raw, || sleeper.is_woken());
        }
        sleeper.sleep();
    }
}

/// A thread that waits.
struct Sleeper {
    thread: Thread,
    woken: AtomicBool,
}

impl Sleeper {
    /// The thread's own. Whoever wakes it for what it waited for before only has it look once more.
    fn of_this_thread() -> Arc<Self> {
        thread_local! {
            static SLEEPER: RefCell<Option<Arc<Sleeper>>> = const { RefCell::new(None) };
        }
        let new = || Arc::new(Self { thread: thread::current(), woken: AtomicBool::new(false) });
        SLEEPER.with_borrow_mut(|own| own.get_or_insert_with(new).clone())
    }

    fn is_woken(&self) -> bool {
        self.woken.load(Ordering::Acquire)
    }

    fn sleep(&self) {
        while !self.woken.swap(false, Ordering::Acquire) {
            thread::park();
        }
    }
}

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Its own thread is awake, and need not be told by the system.
        if !self.woken.swap(true, Ordering::Release) && thread::current().id() != self.thread.id() {
            self.thread.unpark();
        }
    }
}
