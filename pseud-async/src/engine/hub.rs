//! The hub: the node's directory under its lock, what its sessions share, and who waits for them.

use super::activity::Born;
use super::blocking_jobs::BlockingJobs;
use super::counts::Sharded;
use super::hooks::Hooks;
use super::node_room::NodeRoom;
use super::refusals::Refusals;
use super::sockets::Sockets;
use super::state::NodeState;
use crate::runtime::Executor;
use atomic_waker::AtomicWaker;
use pseud_proto::Config;
use pseud_proto::pseud::Stats;
use pseud_proto::session::{Budget, Directory};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

/// What the node's lock guards.
pub(crate) type Inner = NodeState<Hub>;

/// What all links and handles of a node share.
///
/// Its lock is for who comes and goes, and for names. It is never taken beside a session's, and behind a
/// connection's where that is held; a caller who holds none only *tries* a connection's. Under it no
/// waker is woken, no handler runs and nothing of a user's is dropped.
#[derive(Debug)]
pub(crate) struct Hub {
    inner: Mutex<Inner>,
    pub(crate) runtime: Arc<dyn Executor>,
    pub(crate) blocking: BlockingJobs,
    pub(crate) timer: AtomicWaker,
    pub(crate) config: Arc<Config>,
    pub(crate) budget: Arc<Budget>,
    pub(crate) counts: Sharded,
    pub(super) born: Instant,
    /// The moment for which the timer is armed: it is woken only for an earlier one.
    pub(super) armed: AtomicU64,
    /// Whether somebody waits for the node to be idle.
    pub(super) is_idling: AtomicBool,
    pub(super) is_closing_largest: AtomicBool,
    /// Taken behind a session's lock or alone, and no lock behind it.
    pub(crate) room: NodeRoom,
    /// How often the directory has changed: whoever remembers what it said looks at this first.
    changes: AtomicU64,
    /// Taken alone, under no other lock.
    pub(crate) refusals: Refusals,
    pub(crate) sockets: Arc<Sockets>,
    pub(crate) hooks: OnceLock<Arc<dyn Hooks>>,
}

impl Hub {
    /// A hub without links.
    ///
    /// # Errors
    /// The operating system gives no entropy: there is no fallback.
    pub(crate) fn new(config: Arc<Config>, runtime: impl Executor + 'static) -> io::Result<Self> {
        let runtime: Arc<dyn Executor> = Arc::new(runtime);
        let threads_max = runtime.blocking_threads_max().min(config.limits.blocking_max);
        let budget = Arc::new(Budget::new(&config));
        let directory = Directory::new(config.clone(), budget.clone(), runtime.seed()?);
        Ok(Self {
            inner: Mutex::new(Inner::new(directory)),
            born: runtime.now(),
            blocking: BlockingJobs::new(runtime.clone(), threads_max),
            runtime,
            timer: AtomicWaker::new(),
            config,
            budget,
            counts: Sharded::default(),
            armed: AtomicU64::new(u64::MAX),
            is_idling: AtomicBool::new(false),
            is_closing_largest: AtomicBool::new(false),
            room: NodeRoom::default(),
            changes: AtomicU64::new(0),
            refusals: Refusals::default(),
            sockets: Arc::default(),
            hooks: OnceLock::new(),
        })
    }

    /// What its links count moments from.
    #[inline]
    pub(crate) fn born(&self) -> Born {
        Born(self.born)
    }

    /// The runtime's clock.
    pub(crate) fn now(&self) -> Instant {
        self.runtime.now()
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Under its lock: what the directory said before may be otherwise.
    pub(super) fn changed(&self) {
        self.changes.fetch_add(1, Ordering::Release);
    }

    /// How often the directory has changed.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Counters: sums over moments, each session's in its turn.
    pub(crate) fn stats(&self) -> Stats {
        let (mut stats, taken) = (self.counts.stats(), self.budget.taken());
        let inner = self.lock();
        stats.sessions_unnamed = inner.directory.sessions_unnamed();
        let seats: Vec<_> = inner.seats().cloned().collect();
        drop(inner);
        let waiting = seats.iter().map(|seat| seat.look(|session| session.answers_waiting()));
        stats.requests_open = taken.requests + waiting.sum::<usize>();
        stats.sessions = taken.sessions;
        stats.calls_pending = taken.calls;
        stats.calls_waiting = taken.calls_waiting;
        stats.requests_open_bytes = taken.request_bytes;
        stats.queued_bytes = taken.output_bytes;
        stats.partial_bytes = taken.partial_bytes;
        (stats.blocking_running, stats.blocking_waiting) = self.blocking.counts();
        stats
    }
}
