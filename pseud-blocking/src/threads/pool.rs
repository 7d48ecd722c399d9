//! Threads for functions that block: as many as are needed at once, up to a bound.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a thread without work stays.
const IDLE: Duration = Duration::from_secs(10);

type Job = Box<dyn FnOnce() + Send>;

/// A bounded pool. What finds no free thread waits in line; how long that line gets is up to the node's
/// bounds of open requests.
pub(crate) struct Pool {
    threads_max: usize,
    shared: Arc<SharedPool>,
}

#[derive(Default)]
struct SharedPool {
    state: Mutex<PoolState>,
    work: Condvar,
}

#[derive(Default)]
struct PoolState {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
    is_closed: bool,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.shared.lock();
        f.debug_struct("Pool").field("threads", &state.threads).finish_non_exhaustive()
    }
}

impl Pool {
    pub(crate) fn new(threads_max: usize) -> Self {
        Self { threads_max: threads_max.max(1), shared: Arc::default() }
    }

    pub(crate) fn threads_max(&self) -> usize {
        self.threads_max
    }

    /// Runs it on a thread of the pool. Where the system gives no thread, it waits for one of those that
    /// there are; where there is none, it is dropped.
    pub(crate) fn run(&self, job: Job) {
        let mut state = self.shared.lock();
        if state.is_closed {
            drop(state);
            return;
        }
        state.jobs.push_back(job);
        if state.idle >= state.jobs.len() || state.threads >= self.threads_max {
            drop(state);
            self.shared.work.notify_one();
            return;
        }
        state.threads += 1;
        drop(state);
        let shared = self.shared.clone();
        let thread = std::thread::Builder::new().name("pseud-handler".to_owned());
        if let Err(error) = thread.spawn(move || shared.work()) {
            tracing::warn!(%error, "no thread for a blocking handler");
            let mut state = self.shared.lock();
            state.threads -= 1;
            let lost =
                if state.threads == 0 { std::mem::take(&mut state.jobs) } else { VecDeque::new() };
            drop(state);
            drop(lost);
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.is_closed = true;
        let unbegun = std::mem::take(&mut state.jobs);
        drop(state);
        self.shared.work.notify_all();
        drop(unbegun);
    }
}

impl SharedPool {
    fn lock(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some(job) = self.next() {
            super::tasks::contained(job);
        }
    }

    /// `None`: this thread is to end, and counts no more.
    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            if state.is_closed {
                state.threads -= 1;
                return None;
            }
            state.idle += 1;
            let waited = self.work.wait_timeout(state, IDLE);
            let (back, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            state = back;
            state.idle -= 1;
            if timeout.timed_out() && state.jobs.is_empty() {
                state.threads -= 1;
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::sync::mpsc;

    #[test]
    fn jobs_run_side_by_side_up_to_the_bound_and_the_rest_after_them() {
        let pool = Pool::new(2);
        let together = Arc::new(Barrier::new(2));
        let (done, ended) = mpsc::channel();
        for _ in 0..6 {
            let (together, done) = (together.clone(), done.clone());
            pool.run(Box::new(move || {
                together.wait();
                done.send(std::thread::current().id()).unwrap();
            }));
        }
        let mut threads: Vec<_> = (0..6).map(|_| ended.recv().unwrap()).collect();
        threads.sort_by_key(|id| format!("{id:?}"));
        threads.dedup();
        assert_eq!(threads.len(), 2);
    }

    #[test]
    fn a_panic_costs_no_thread() {
        let pool = Pool::new(1);
        pool.run(Box::new(|| panic!("of a job")));
        let (done, ended) = mpsc::channel();
        pool.run(Box::new(move || done.send(()).unwrap()));
        ended.recv().unwrap();
    }
}
