//! The hub: one endpoint under one short lock, and who waits for it.

use super::blocking_jobs::BlockingJobs;
use super::effects::Effects;
use super::hooks::Hooks;
use super::refusals::Refusals;
use super::running::Running;
use super::sockets::Sockets;
use super::state::Inner;
use crate::runtime::Executor;
use atomic_waker::AtomicWaker;
use pseud_proto::pseud::Endpoint;
use pseud_proto::{Config, Packed, PeerId};
use std::io;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

/// One endpoint with its callers: what all links and handles of a node share.
///
/// Under its lock no waker is woken, no handler runs and nothing of a user's is dropped: what an
/// operation gives rise to is collected and done after the lock is released.
/// Locks are taken link first, then hub; a caller who holds neither only *tries* a link's.
#[derive(Debug)]
pub struct Hub {
    inner: Mutex<Inner>,
    pub(crate) runtime: Arc<dyn Executor>,
    pub(crate) timer: AtomicWaker,
    /// Handlers that did not end at once, those of callers that are gone among them.
    pub(crate) running: Running,
    pub(crate) blocking: BlockingJobs,
    /// How often sessions were revoked or shut down. Changed under the lock, read without.
    pub(crate) closings: AtomicUsize,
    pub(crate) config: Arc<Config>,
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
        let endpoint = Endpoint::new(config.clone(), runtime.seed()?);
        let runtime: Arc<dyn Executor> = Arc::new(runtime);
        let threads_max = runtime.blocking_threads_max();
        Ok(Self {
            inner: Mutex::new(Inner::new(endpoint)),
            blocking: BlockingJobs::new(runtime.clone(), threads_max),
            runtime,
            timer: AtomicWaker::new(),
            running: Running::default(),
            closings: AtomicUsize::new(0),
            config,
            refusals: Refusals::default(),
            sockets: Arc::default(),
            hooks: OnceLock::new(),
        })
    }

    /// The runtime's clock.
    pub(crate) fn now(&self) -> Instant {
        self.runtime.now()
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something to the endpoint under the lock; what follows from it is done after.
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut Inner, Instant) -> R) -> (R, Effects) {
        let now = self.now();
        self.visit(|inner, _| act(inner, now))
    }

    /// The same for who knows the time, and looks at what follows while it goes on.
    pub(crate) fn visit<R>(&self, act: impl FnOnce(&mut Inner, &mut Effects) -> R) -> (R, Effects) {
        let mut effects = Effects::default();
        let mut inner = self.lock();
        let result = act(&mut inner, &mut effects);
        effects.settle(&mut inner, &self.running);
        effects.count_closings(&self.closings);
        drop(inner);
        (result, effects)
    }

    /// A body of that peer's was checked: what not everybody could be sent may go back there.
    pub(crate) fn learn(&self, peer: PeerId, body: &Packed) {
        if !body.is_v1_safe() {
            self.lock().endpoint.learn(peer, body);
        }
    }
}
