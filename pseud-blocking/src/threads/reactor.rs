//! The thread in the background: it waits for sockets and timers, and polls tasks.

use super::pool::Pool;
use super::tasks::{self, Polling};
use super::timers::{TimerKey, Timers};
use async_task::Runnable;
use mio::event::Event;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token, Waker};
use slab::Slab;
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::io;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// How long a socket that a caller has read for itself is left alone before it is watched again: as
/// long as callers follow each other within it, they pay for nothing but their own reads and writes.
pub(crate) const LINGER: Duration = Duration::from_millis(2);

/// How much a caller reads at once.
const BUFFER: usize = 64 << 10;

/// The token of the reactor's own waker.
const WAKE: Token = Token(usize::MAX);

/// How many events are taken from the system at once.
const EVENTS: usize = 256;

/// What the system says of a socket.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SocketReadiness {
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    /// What may be read there ends, failed, or is urgent: a short read does not take all of that. Where the
    /// system does not tell of urgent data, whatever is readable may be that.
    pub(crate) uncertain: bool,
}

impl SocketReadiness {
    fn of(event: &Event) -> Self {
        let ends = event.is_read_closed() || event.is_error();
        let urgent =
            event.is_priority() || cfg!(not(any(target_os = "linux", target_os = "android")));
        Self {
            readable: event.is_readable() || event.is_priority() || ends,
            writable: event.is_writable() || event.is_write_closed() || event.is_error(),
            uncertain: ends || urgent,
        }
    }
}

/// A socket, as the reactor sees it.
pub(crate) trait EventSource: Send + Sync {
    /// It may be read, or written.
    fn ready(&self, ready: SocketReadiness);
}

/// A socket that is not watched since a caller reads it, or has just done so.
pub(crate) trait Unwatched: Send + Sync {
    /// Watches it if nobody has read it for a while; says whether it is watched.
    fn watch_again(&self, now: Instant) -> bool;
}

/// What one node's threads share.
pub(crate) struct Reactor {
    registry: Registry,
    waker: Waker,
    /// Whether it looks at the queue before it sleeps: whoever adds something need not wake it.
    awake: AtomicBool,
    stopped: AtomicBool,
    queue: Mutex<VecDeque<Runnable>>,
    timers: Timers,
    sources: Mutex<Slab<Weak<dyn EventSource>>>,
    unwatched: Mutex<Option<Arc<dyn Unwatched>>>,
    /// What the last caller read into.
    spare: Mutex<Option<Box<[u8]>>>,
    pool: Pool,
}

impl fmt::Debug for Reactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reactor")
            .field("sources", &lock(&self.sources).len())
            .finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Reactor {
    /// Starts its thread, which runs until [`stop`](Self::stop).
    ///
    /// # Errors
    /// The system gives no thread, or no descriptors.
    pub(crate) fn start(threads_max: usize) -> io::Result<Arc<Self>> {
        let poll = Poll::new()?;
        let registry = poll.registry().try_clone()?;
        let waker = Waker::new(&registry, WAKE)?;
        let reactor = Arc::new(Self {
            registry,
            waker,
            awake: AtomicBool::new(true),
            stopped: AtomicBool::new(false),
            queue: Mutex::default(),
            timers: Timers::default(),
            sources: Mutex::default(),
            unwatched: Mutex::default(),
            spare: Mutex::default(),
            pool: Pool::new(threads_max),
        });
        let thread = reactor.clone();
        std::thread::Builder::new().name("pseud".to_owned()).spawn(move || thread.run(poll))?;
        Ok(reactor)
    }

    /// Ends its thread; what is left of tasks is dropped.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.notify();
    }

    /// Which reactor this is, to tell tasks apart.
    pub(crate) fn id(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    pub(crate) fn spawn<F>(self: &Arc<Self>, future: F)
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let reactor = self.clone();
        let (task, handle) = async_task::spawn(future, move |task| reactor.schedule(task));
        handle.detach();
        task.schedule();
    }

    pub(crate) fn spawn_blocking(&self, run: Box<dyn FnOnce() + Send>) {
        self.pool.run(run);
    }

    pub(crate) fn threads_max(&self) -> usize {
        self.pool.threads_max()
    }

    fn schedule(&self, task: Runnable) {
        if let Some(task) = tasks::keep(self.id(), task) {
            self.enqueue([task]);
        }
    }

    pub(crate) fn enqueue(&self, tasks: impl IntoIterator<Item = Runnable>) {
        let mut queue = lock(&self.queue);
        queue.extend(tasks);
        let idle = queue.is_empty();
        drop(queue);
        if self.stopped.load(Ordering::SeqCst) {
            return self.forget_tasks();
        }
        if !idle {
            self.notify();
        }
    }

    /// A task's end may schedule another, so they are dropped outside the lock.
    fn forget_tasks(&self) {
        loop {
            let tasks = std::mem::take(&mut *lock(&self.queue));
            if tasks.is_empty() {
                return;
            }
            tasks.into_iter().for_each(|task| tasks::contained(|| drop(task)));
        }
    }

    fn notify(&self) {
        if !self.awake.swap(true, Ordering::SeqCst)
            && let Err(error) = self.waker.wake()
        {
            tracing::error!(%error, "the reactor cannot be woken");
        }
    }

    /// Waits for a moment.
    pub(crate) fn add_timer(&self, at: Instant, waker: std::task::Waker) -> TimerKey {
        let (key, is_first) = self.timers.insert(at, waker);
        if is_first {
            self.notify();
        }
        key
    }

    pub(crate) fn remove_timer(&self, key: TimerKey) {
        self.timers.remove(key);
    }

    pub(crate) fn next_timer(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// Gives a socket its number.
    pub(crate) fn add_source(&self, source: Weak<dyn EventSource>) -> usize {
        lock(&self.sources).insert(source)
    }

    pub(crate) fn remove_source(&self, number: usize) {
        lock(&self.sources).try_remove(number);
    }

    /// From now on the source hears of changes, of what is there already at once.
    pub(crate) fn watch(&self, number: usize, socket: RawFd, interest: Interest) -> io::Result<()> {
        self.registry.register(&mut SourceFd(&socket), Token(number), interest)
    }

    pub(crate) fn unwatch(&self, socket: RawFd) {
        if let Err(error) = self.registry.deregister(&mut SourceFd(&socket)) {
            tracing::debug!(%error, "a socket was not watched");
        }
    }

    /// A caller reads that socket itself: it is to be watched again when callers are done. Whichever was
    /// read so before is watched at once.
    pub(crate) fn left_alone(&self, socket: Arc<dyn Unwatched>) {
        let before = lock(&self.unwatched).replace(socket.clone());
        match before {
            Some(before) if Arc::ptr_eq(&before, &socket) => {}
            Some(before) => drop(before.watch_again(Instant::now() + LINGER)),
            None => self.notify(),
        }
    }

    /// A buffer to read into.
    pub(crate) fn take_spare(&self) -> Box<[u8]> {
        lock(&self.spare).take().unwrap_or_else(|| vec![0; BUFFER].into())
    }

    pub(crate) fn keep_spare(&self, buffer: Box<[u8]>) {
        drop(lock(&self.spare).replace(buffer));
    }

    /// Callers are done for now.
    pub(crate) fn drop_spare(&self) {
        drop(lock(&self.spare).take());
    }

    fn run(&self, mut poll: Poll) {
        let _polling = Polling::begin();
        let mut events = Events::with_capacity(EVENTS);
        while !self.stopped.load(Ordering::SeqCst) {
            self.run_tasks();
            let now = Instant::now();
            self.timers.due(now).into_iter().for_each(std::task::Waker::wake);
            let timeout = self.timeout(now);
            match poll.poll(&mut events, timeout) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    tracing::error!(%error, "cannot wait for sockets");
                    break;
                }
            }
            self.awake.store(true, Ordering::SeqCst);
            for event in events.iter().filter(|event| event.token() != WAKE) {
                self.tell(event.token(), SocketReadiness::of(event));
            }
        }
        self.stop();
        self.timers.clear();
        self.forget_tasks();
        drop(lock(&self.unwatched).take());
    }

    fn tell(&self, Token(number): Token, ready: SocketReadiness) {
        let source = lock(&self.sources).get(number).and_then(Weak::upgrade);
        if let Some(source) = source {
            source.ready(ready);
        }
    }

    /// Those that are ready now; what they make ready comes after the sockets had their turn.
    fn run_tasks(&self) {
        let ready = std::mem::take(&mut *lock(&self.queue));
        ready.into_iter().for_each(tasks::run);
    }

    /// How long to sleep. From here on whoever adds something wakes the thread.
    fn timeout(&self, now: Instant) -> Option<Duration> {
        let lingers = self.has_unwatched(now).then_some(LINGER);
        self.awake.store(false, Ordering::SeqCst);
        if !lock(&self.queue).is_empty() || self.stopped.load(Ordering::SeqCst) {
            self.awake.store(true, Ordering::SeqCst);
            return Some(Duration::ZERO);
        }
        let timer = self.timers.next().map(|at| at.saturating_duration_since(now));
        lingers.into_iter().chain(timer).min()
    }

    fn has_unwatched(&self, now: Instant) -> bool {
        let mut unwatched = lock(&self.unwatched);
        unwatched.take_if(|socket| socket.watch_again(now));
        unwatched.is_some()
    }
}
