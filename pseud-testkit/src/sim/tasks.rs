//! The tasks of a world.

use crate::luck::Luck;
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::mem::take;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Wake};

type BoxedTask = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One task. The first one of a world has its future elsewhere: see [`Tasks::root`].
pub(super) struct QueuedTask {
    pub(super) id: u64,
    work: Mutex<Option<BoxedTask>>,
    is_ready: AtomicBool,
    tasks: Weak<Tasks>,
}

impl fmt::Debug for QueuedTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("id", &self.id).finish_non_exhaustive()
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Tasks(Mutex<TaskQueue>);

#[derive(Debug, Default)]
struct TaskQueue {
    alive: BTreeMap<u64, Arc<QueuedTask>>,
    ready: Vec<Arc<QueuedTask>>,
    next: u64,
    is_over: bool,
}

/// The id of the first task of a world.
pub(super) const ROOT: u64 = 0;

impl Tasks {
    fn lock(&self) -> MutexGuard<'_, TaskQueue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the world is run for: whoever runs it polls that future by itself.
    pub(super) fn root(self: &Arc<Self>) -> Arc<QueuedTask> {
        let (work, is_ready) = (Mutex::default(), AtomicBool::new(false));
        Arc::new(QueuedTask { id: ROOT, work, is_ready, tasks: Arc::downgrade(self) })
    }

    /// Starts one; dropped at once where the world is over.
    pub(super) fn spawn(self: &Arc<Self>, work: BoxedTask) {
        let mut state = self.lock();
        if state.is_over {
            drop(state);
            return;
        }
        state.next += 1;
        let (id, tasks) = (state.next, Arc::downgrade(self));
        let (work, is_ready) = (Mutex::new(Some(work)), AtomicBool::new(false));
        let task = Arc::new(QueuedTask { id, work, is_ready, tasks });
        state.alive.insert(id, task.clone());
        drop(state);
        task.wake();
    }

    /// One of those that are ready.
    pub(super) fn next(&self, order: &mut Luck) -> Option<Arc<QueuedTask>> {
        let mut state = self.lock();
        let count = state.ready.len();
        if count == 0 {
            return None;
        }
        let task = state.ready.swap_remove(order.between(0, count));
        task.is_ready.store(false, Ordering::Relaxed);
        Some(task)
    }

    /// Its turn.
    pub(super) fn poll(&self, task: &Arc<QueuedTask>) {
        let work = task.lock().take();
        let Some(mut work) = work else { return };
        match work.as_mut().poll(&mut Context::from_waker(&task.clone().into())).is_pending() {
            true => *task.lock() = Some(work),
            false => drop(self.lock().alive.remove(&task.id)),
        }
    }

    /// How many are not over.
    pub(super) fn alive(&self) -> usize {
        self.lock().alive.len()
    }

    /// Drops what every task is at.
    pub(super) fn end(&self) {
        self.lock().is_over = true;
        loop {
            let mut state = self.lock();
            let (alive, ready) = (take(&mut state.alive), take(&mut state.ready));
            drop(state);
            if alive.is_empty() && ready.is_empty() {
                return;
            }
            for task in alive.into_values() {
                let work = task.lock().take();
                drop(work);
            }
        }
    }
}

impl QueuedTask {
    fn lock(&self) -> MutexGuard<'_, Option<BoxedTask>> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for QueuedTask {
    fn wake(self: Arc<Self>) {
        if self.is_ready.swap(true, Ordering::Relaxed) {
            return;
        }
        if let Some(tasks) = self.tasks.upgrade() {
            let mut state = tasks.lock();
            if !state.is_over {
                state.ready.push(self);
            }
        }
    }
}
