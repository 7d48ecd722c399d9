//! An executor for tests: tasks and jobs run when a test says so.

use super::Executor;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

pub(crate) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;
pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// Runs nothing by itself. Cheap to clone; all clones are one.
#[derive(Clone, Default)]
pub(crate) struct ByHand {
    /// Those that are not over.
    pub(crate) tasks: Arc<Mutex<Vec<Task>>>,
    pub(crate) jobs: Arc<Mutex<Vec<Job>>>,
    /// Whether the moment has come for which anybody sleeps.
    pub(crate) late: Arc<AtomicBool>,
}

impl fmt::Debug for ByHand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByHand").finish_non_exhaustive()
    }
}

impl Executor for ByHand {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn spawn(&self, future: Task) {
        self.tasks.lock().unwrap().push(future);
    }

    fn spawn_blocking(&self, run: Job) {
        self.jobs.lock().unwrap().push(run);
    }

    fn sleep(&self, _: Instant) -> Task {
        let late = self.late.clone();
        Box::pin(poll_fn(move |_| match late.load(Ordering::Relaxed) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }))
    }
}

impl ByHand {
    /// Polls every task once, and lets go of those that are done; how many are left.
    pub(crate) fn turn(&self, waker: &Waker) -> usize {
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap());
        tasks.retain_mut(|task| task.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
        let mut all = self.tasks.lock().unwrap();
        tasks.append(&mut all);
        *all = tasks;
        all.len()
    }

    /// Lets what waits for a thread have it, and what that brings.
    pub(crate) fn run_jobs(&self) {
        let take = || std::mem::take(&mut *self.jobs.lock().unwrap());
        let all = std::iter::repeat_with(take).take_while(|jobs| !jobs.is_empty());
        all.flatten().for_each(|job| job());
    }
}
