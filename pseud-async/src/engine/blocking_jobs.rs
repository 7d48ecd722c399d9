//! Handlers that block: a bounded number of threads of the runtime's, shared by peers.

use crate::runtime::Executor;
use pseud_proto::PeerId;
use pseud_proto::session::ShareOwner;
use std::collections::{HashMap, VecDeque};
use std::fmt;
#[cfg(any(feature = "rpcudp", test))]
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Room for so many peers is kept while there are fewer.
const KEPT_MAX: usize = 16;

/// What a thread is to do.
pub(crate) type BlockingJob = Box<dyn FnOnce() + Send>;

/// Whose job it is: who leaves with it, and takes turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum JobOwner {
    Session(PeerId),
    /// Of who sends datagrams: it has no session.
    #[cfg(any(feature = "rpcudp", test))]
    Address(IpAddr),
}

/// Who has a share of the threads: a user or a source with all its sessions, those that have gone, too, or
/// who is neither.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum JobShare {
    Owner(JobOwner),
    Of(ShareOwner),
}

/// Jobs that run, and those that wait for a thread.
///
/// A quarter of the threads is for those of whom none runs, one for each. Of the others a share may have running
/// twice as many as are free beside them (dynamic thresholds, as shared buffers of switches have them: Choudhury
/// and Hahne, 1998): one alone takes half of all, and leaves more than it could have left to those who come next.
/// Without the quarter ten that never end would take all 512 threads. Those that wait take turns by peer.
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
    /// Jobs that wait; none is empty.
    lines: HashMap<JobOwner, JobQueue>,
    /// How many run of each share; none is zero.
    shares: HashMap<JobShare, usize>,
    /// Whose jobs wait, each once; the first has its turn next.
    turns: VecDeque<JobOwner>,
}

/// One peer's jobs.
struct JobQueue {
    share: JobShare,
    waiting: VecDeque<BlockingJob>,
}

impl BlockingJobs {
    pub(crate) fn new(runtime: Arc<dyn Executor>, threads_max: usize) -> Self {
        let (threads_max, state) = (threads_max.max(1), Mutex::default());
        Self(Arc::new(Shared { runtime, threads_max, state }))
    }

    /// Runs it on a thread as soon as it is its owner's turn, who shares with others as that says. Where the
    /// runtime is gone it is dropped.
    pub(crate) fn run(&self, owner: JobOwner, share: Option<ShareOwner>, job: BlockingJob) {
        let mut state = self.0.lock();
        state.add(owner, share.map_or(JobShare::Owner(owner), JobShare::Of), job);
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

    /// How many run, and how many wait.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let state = self.0.lock();
        (state.running, state.lines.values().map(|line| line.waiting.len()).sum())
    }

    fn start(&self, begun: Vec<(JobShare, BlockingJob)>) {
        for (share, job) in begun {
            let worker = JobThread { jobs: self.clone(), share: Some(share), job: Some(job) };
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
    fn add(&mut self, owner: JobOwner, share: JobShare, job: BlockingJob) {
        let empty = || JobQueue { share, waiting: VecDeque::new() };
        let line = self.lines.entry(owner).or_insert_with(empty);
        if line.waiting.is_empty() {
            self.turns.push_back(owner);
        }
        line.waiting.push_back(job);
    }

    /// The jobs that may run now: they count as running from here on.
    fn begin(&mut self, threads_max: usize) -> Vec<(JobShare, BlockingJob)> {
        std::iter::from_fn(|| self.next(threads_max)).collect()
    }

    fn next(&mut self, threads_max: usize) -> Option<(JobShare, BlockingJob)> {
        let free = threads_max - self.running;
        if free == 0 {
            return None;
        }
        let kept = (threads_max / 4).max(1).min(threads_max - 1);
        let open = free.saturating_sub(kept);
        let (lines, shares) = (&self.lines, &self.shares);
        let may_run = |owner: &JobOwner| {
            let running = lines.get(owner).map(|line| shares.get(&line.share).map_or(0, |n| *n));
            running.is_some_and(|running| running == 0 || running < 2 * open)
        };
        let owner = self.turns.remove(self.turns.iter().position(may_run)?)?;
        let line = self.lines.get_mut(&owner)?;
        let job = line.waiting.pop_front()?;
        let share = line.share.clone();
        *self.shares.entry(share.clone()).or_default() += 1;
        self.running += 1;
        match line.waiting.is_empty() {
            true => drop(self.lines.remove(&owner)),
            false => self.turns.push_back(owner),
        }
        self.shrink();
        Some((share, job))
    }

    fn ended(&mut self, share: &JobShare) {
        self.running -= 1;
        if let Some(running) = self.shares.get_mut(share) {
            *running -= 1;
            if *running == 0 {
                self.shares.remove(share);
            }
        }
        self.shrink();
    }

    fn leave(&mut self, owner: JobOwner) -> VecDeque<BlockingJob> {
        let Some(line) = self.lines.remove(&owner) else { return VecDeque::new() };
        self.turns.retain(|other| *other != owner);
        self.shrink();
        line.waiting
    }

    /// What nobody needs any more is given back.
    fn shrink(&mut self) {
        if self.lines.is_empty() && self.lines.capacity() > 0 {
            (self.lines, self.turns) = Default::default();
        }
        if self.shares.is_empty() {
            self.shares = HashMap::new();
        }
        // Where some are always there, too.
        let has_plenty = |len, room| room > KEPT_MAX && len < room / 4;
        if has_plenty(self.lines.len(), self.lines.capacity()) {
            self.lines.shrink_to(2 * self.lines.len());
            self.turns.shrink_to(2 * self.turns.len());
        }
        if has_plenty(self.shares.len(), self.shares.capacity()) {
            self.shares.shrink_to(2 * self.shares.len());
        }
    }

    fn take_all(&mut self) -> Vec<BlockingJob> {
        self.turns.clear();
        std::mem::take(&mut self.lines).into_values().flat_map(|line| line.waiting).collect()
    }
}

/// What a thread does: a job, and then that whose turn it is.
struct JobThread {
    jobs: BlockingJobs,
    /// Of which share it counts as running by this.
    share: Option<JobShare>,
    /// Gone once it was begun.
    job: Option<BlockingJob>,
}

impl JobThread {
    fn work(mut self) {
        while let Some(job) = self.job.take() {
            job();
            let mut begun = self.end();
            if !begun.is_empty() {
                let (share, job) = begun.remove(0);
                (self.share, self.job) = (Some(share), Some(job));
            }
            self.jobs.start(begun);
        }
    }

    /// Its job is over: what may begin now.
    fn end(&mut self) -> Vec<(JobShare, BlockingJob)> {
        let Some(share) = self.share.take() else { return Vec::new() };
        let mut state = self.jobs.0.lock();
        state.ended(&share);
        state.begin(self.jobs.0.threads_max)
    }
}

impl Drop for JobThread {
    fn drop(&mut self) {
        if self.job.is_none() {
            // A panic of its job.
            let begun = self.end();
            self.jobs.start(begun);
            return;
        }
        let Some(share) = self.share.take() else { return };
        // The runtime has dropped what it was to run, so it is gone: nothing that waits will run.
        let mut state = self.jobs.0.lock();
        state.ended(&share);
        let waiting = state.take_all();
        drop(state);
        drop(waiting);
    }
}

#[cfg(test)]
mod tests;
