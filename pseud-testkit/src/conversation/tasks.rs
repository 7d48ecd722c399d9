//! What a conversation does besides, in whichever world it is held: on a thread on which a simulated world
//! runs it means that world, elsewhere tokio.

use crate::sim::{self, SimRuntime};
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

/// No conversation waits longer than this for anything.
pub const SOON: Duration = Duration::from_secs(20);

/// Whoever only looks whether something has happened does not look at every turn of a simulated world.
const PAUSE: Duration = Duration::from_micros(20);

/// Whether it is held in a simulated world.
pub fn is_simulated() -> bool {
    SimRuntime::here().is_some()
}

/// What that clock says.
pub fn now() -> Instant {
    if is_simulated() { sim::now() } else { Instant::now() }
}

/// Waits so long by that clock.
pub async fn sleep(wait: Duration) {
    if is_simulated() { sim::sleep(wait).await } else { tokio::time::sleep(wait).await }
}

/// Gives others a turn.
pub async fn yield_now() {
    if is_simulated() { sim::yield_now().await } else { tokio::task::yield_now().await }
}

/// Gives others turns: for loops that wait for something to happen.
pub async fn pause() {
    if is_simulated() { sim::sleep(PAUSE).await } else { tokio::task::yield_now().await }
}

/// What a future gives; `None` if it has not within that time.
pub async fn timeout<F: Future>(at_most: Duration, future: F) -> Option<F::Output> {
    match is_simulated() {
        true => sim::timeout(at_most, future).await,
        false => tokio::time::timeout(at_most, future).await.ok(),
    }
}

/// What a future gives, which must be soon.
#[track_caller]
pub fn soon<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let whence = Location::caller();
    async move {
        let output = timeout(SOON, future).await;
        output.unwrap_or_else(|| panic!("it takes too long, at {whence}"))
    }
}

/// Waits until that is so, which must be soon.
#[track_caller]
pub fn until(is_so: impl Fn() -> bool) -> impl Future<Output = ()> {
    soon(async move {
        while !is_so() {
            pause().await;
        }
    })
}

/// Starts a task. It goes on where nobody waits for it.
pub fn spawn<F>(future: F) -> ConversationTask<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    match is_simulated() {
        true => ConversationTask::Simulated(sim::spawn(future)),
        false => ConversationTask::Real(tokio::spawn(future)),
    }
}

/// Waits for all of them: what each has given, in their order.
pub async fn join_all<T>(tasks: impl IntoIterator<Item = ConversationTask<T>>) -> Vec<T> {
    let mut all = Vec::new();
    for task in tasks {
        all.push(task.await.expect("it has ended by itself"));
    }
    all
}

/// A task that was started: a future of what it gives.
pub enum ConversationTask<T> {
    /// In a simulated world.
    Simulated(sim::Task<T>),
    /// On tokio.
    Real(tokio::task::JoinHandle<T>),
}

/// A task was aborted, or has panicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskAborted;

impl fmt::Display for TaskAborted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the task was aborted, or has panicked")
    }
}

impl<T> ConversationTask<T> {
    /// Drops its future.
    pub fn abort(&self) {
        match self {
            Self::Simulated(task) => task.abort(),
            Self::Real(task) => task.abort(),
        }
    }
}

impl<T> fmt::Debug for ConversationTask<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConversationTask").finish_non_exhaustive()
    }
}

impl<T> Future for ConversationTask<T> {
    type Output = Result<T, TaskAborted>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Simulated(task) => {
                Poll::Ready(ready!(Pin::new(task).poll(cx)).map_err(|_| TaskAborted))
            }
            Self::Real(task) => {
                Poll::Ready(ready!(Pin::new(task).poll(cx)).map_err(|_| TaskAborted))
            }
        }
    }
}
