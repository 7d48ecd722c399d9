//! Handlers that block: a bounded number of threads of the runtime's, shared by peers.

use crate::runtime::Executor;
use pseud_proto::PeerId;
use std::collections::{HashMap, VecDeque};
use std::fmt;
#[cfg(any(feature = "rpcudp", test))]
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a thread is to do.
pub(crate) type BlockingJob = Box<dyn FnOnce() + Send>;

/// Whose job it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum JobOwner {
    Session(PeerId),
    /// Of who sends datagrams: it has no session.
    #[cfg(any(feature = "rpcudp", test))]
    Address(IpAddr),
}

/// Jobs that run, and those that wait for a thread.
///
/// A peer may have as many running as threads are free beside them (dynamic thresholds, as shared
/// buffers of switches have them: Choudhury and Hahne, 1998): one alone takes half, two take a third each, and whoever comes next finds a
/// thread at once as long as there are fewer peers than threads. Those that wait take turns by peer.
#[derive(Debug, Clone)]
pub(crate) struct BlockingJobs(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    runtime: Arc<dyn Executor>,
    threads_max: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: usize,
    lines: HashMap<JobOwner, JobQueue>,
    /// Whose jobs wait, each once; the first has its turn next.
    turns: VecDeque<JobOwner>,
}

/// One peer's jobs; gone when it has none.
#[derive(Default)]
struct JobQueue {
    running: usize,
    waiting: VecDeque<BlockingJob>,
}

impl BlockingJobs {
    pub(crate) fn new(runtime: Arc<dyn Executor>, threads_max: usize) -> Self {
        let (threads_max, state) = (threads_max.max(1), Mutex::default());
        Self(Arc::new(Shared { runtime, threads_max, state }))
    }

    /// Runs it on a thread as soon as it is its owner's turn. Where the runtime is gone it is dropped.
    pub(crate) fn run(&self, owner: JobOwner, job: BlockingJob) {
        let mut state = self.0.lock();
        state.add(owner, job);
        let begun = state.begin(self.0.threads_max);
        drop(state);
        self.start(begun);
    }

    /// Its jobs that have not begun are dropped: their caller is gone.
    pub(crate) fn leave(&self, owner: JobOwner) {
        let waiting = self.0.lock().leave(owner);
        // With no lock: what they hold is a user's, and answers.
        drop(waiting);
    }

    fn start(&self, begun: Vec<(JobOwner, BlockingJob)>) {
        for (owner, job) in begun {
            let worker = JobThread { jobs: self.clone(), owner: Some(owner), job: Some(job) };
            self.0.runtime.spawn_blocking(Box::new(move || worker.work()));
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("running", &self.running).finish_non_exhaustive()
    }
}

impl State {
    fn add(&mut self, owner: JobOwner, job: BlockingJob) {
        let line = self.lines.entry(owner).or_default();
        if line.waiting.is_empty() {
            self.turns.push_back(owner);
        }
        line.waiting.push_back(job);
    }

    /// The jobs that may run now: they count as running from here on.
    fn begin(&mut self, threads_max: usize) -> Vec<(JobOwner, BlockingJob)> {
        std::iter::from_fn(|| self.next(threads_max)).collect()
    }

    fn next(&mut self, threads_max: usize) -> Option<(JobOwner, BlockingJob)> {
        let free = threads_max - self.running;
        let lines = &mut self.lines;
        let may_run = |owner: &JobOwner| lines.get(owner).is_some_and(|line| line.running < free);
        let owner = self.turns.remove(self.turns.iter().position(may_run)?)?;
        let line = lines.get_mut(&owner)?;
        let job = line.waiting.pop_front()?;
        line.running += 1;
        self.running += 1;
        if !line.waiting.is_empty() {
            self.turns.push_back(owner);
        }
        Some((owner, job))
    }

    fn ended(&mut self, owner: JobOwner) {
        self.running -= 1;
        if let Some(line) = self.lines.get_mut(&owner) {
            line.running -= 1;
        }
        self.shrink(owner);
    }

    fn leave(&mut self, owner: JobOwner) -> VecDeque<BlockingJob> {
        let Some(line) = self.lines.get_mut(&owner) else { return VecDeque::new() };
        let waiting = std::mem::take(&mut line.waiting);
        if !waiting.is_empty() {
            self.turns.retain(|other| *other != owner);
        }
        self.shrink(owner);
        waiting
    }

    /// What nobody needs any more is given back.
    fn shrink(&mut self, owner: JobOwner) {
        if self.lines.get(&owner).is_some_and(|line| line.running == 0 && line.waiting.is_empty()) {
            self.lines.remove(&owner);
        }
        if self.lines.is_empty() {
            (self.lines, self.turns) = Default::default();
        }
    }

    fn take_all(&mut self) -> Vec<BlockingJob> {
        self.turns.clear();
        let lines = self.lines.values_mut();
        let all = lines.flat_map(|line| std::mem::take(&mut line.waiting)).collect();
        self.lines.retain(|_, line| line.running > 0);
        all
    }
}

/// What a thread does: a job, and then that whose turn it is.
struct JobThread {
    jobs: BlockingJobs,
    /// Whose job counts as running by this.
    owner: Option<JobOwner>,
    /// Gone once it was begun.
    job: Option<BlockingJob>,
}

impl JobThread {
    fn work(mut self) {
        while let Some(job) = self.job.take() {
            job();
            let mut begun = self.end();
            if !begun.is_empty() {
                let (owner, job) = begun.remove(0);
                (self.owner, self.job) = (Some(owner), Some(job));
            }
            self.jobs.start(begun);
        }
    }

    /// Its job is over: what may begin now.
    fn end(&mut self) -> Vec<(JobOwner, BlockingJob)> {
        let Some(owner) = self.owner.take() else { return Vec::new() };
        let mut state = self.jobs.0.lock();
        state.ended(owner);
        state.begin(self.jobs.0.threads_max)
    }
}

impl Drop for JobThread {
    fn drop(&mut self) {
        let Some(owner) = self.owner else { return };
        if self.job.is_none() {
            // A panic of its job.
            let begun = self.end();
            self.jobs.start(begun);
            return;
        }
        // The runtime has dropped what it was to run, so it is gone: nothing that waits will run.
        let mut state = self.jobs.0.lock();
        state.ended(owner);
        let waiting = state.take_all();
        drop(state);
        drop(waiting);
    }
}

#[cfg(test)]
mod tests;
