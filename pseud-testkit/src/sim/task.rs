//! What a conversation does in its world: it starts tasks, waits, and asks about the world.

use super::runtime::SimRuntime;
use pseud_async::adapter::{Runtime, Timer};
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// The world that this is called in.
pub fn world() -> SimRuntime {
    SimRuntime::current().expect("it is called in a simulated world")
}

/// Its clock.
pub fn now() -> Instant {
    world().now()
}

/// Waits so long by its clock.
pub async fn sleep(wait: Duration) {
    let runtime = world();
    let mut timer = runtime.timer(runtime.now() + wait);
    poll_fn(|cx| timer.poll(cx)).await;
}

/// What a future gives; `None` if it has not within that time by the world's clock.
pub async fn timeout<F: Future>(at_most: Duration, future: F) -> Option<F::Output> {
    let (mut future, mut over) = (pin!(future), pin!(sleep(at_most)));
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => over.as_mut().poll(cx).map(|()| None),
    })
    .await
}

/// Gives others a turn.
pub async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Starts a task in that world. It goes on where nobody waits for it.
pub fn spawn<F>(future: F) -> Task<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let shared = Arc::new(Shared::<F::Output> { state: Mutex::default() });
    let ends = Ends(shared.clone());
    world().spawn(async move {
        let mut future = Box::pin(future);
        let output = poll_fn(|cx| {
            if ends.0.lock().is_aborted {
                return Poll::Ready(None);
            }
            let polled = future.as_mut().poll(cx).map(Some);
            ends.0.lock().task = Some(cx.waker().clone());
            polled
        });
        let output = output.await;
        drop(future);
        ends.0.lock().output = output;
    });
    Task(shared)
}

/// Waits for all of them: what each has given, in their order.
pub async fn join_all<T>(tasks: impl IntoIterator<Item = Task<T>>) -> Vec<T> {
    let mut all = Vec::new();
    for task in tasks {
        all.push(task.await.expect("it was not aborted"));
    }
    all
}

/// A task that was started: a future of what it gives.
pub struct Task<T>(Arc<Shared<T>>);

/// A task was aborted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aborted;

struct Shared<T> {
    state: Mutex<TaskState<T>>,
}

struct TaskState<T> {
    is_aborted: bool,
    is_over: bool,
    output: Option<T>,
    task: Option<Waker>,
    joining: Option<Waker>,
}

impl<T> Default for TaskState<T> {
    fn default() -> Self {
        Self { is_aborted: false, is_over: false, output: None, task: None, joining: None }
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> std::sync::MutexGuard<'_, TaskState<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells that a task is over, also where the world ends before.
struct Ends<T>(Arc<Shared<T>>);

impl<T> Drop for Ends<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.is_over = true;
        let (task, joining) = (state.task.take(), state.joining.take());
        drop(state);
        drop(task);
        joining.into_iter().for_each(Waker::wake);
    }
}

impl<T> Task<T> {
    /// Drops its future, at its next turn.
    pub fn abort(&self) {
        let mut state = self.0.lock();
        state.is_aborted = true;
        let task = state.task.take();
        drop(state);
        task.into_iter().for_each(Waker::wake);
    }

    /// Whether it has ended.
    pub fn is_finished(&self) -> bool {
        self.0.lock().is_over
    }
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").finish_non_exhaustive()
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, Aborted>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.0.lock();
        if state.is_over {
            return Poll::Ready(state.output.take().ok_or(Aborted));
        }
        state.joining = Some(cx.waker().clone());
        Poll::Pending
    }
}
