//! Tasks: futures that whichever thread is at hand polls.

use async_task::Runnable;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    /// What a caller that reads for itself has made ready, and for which reactor: it runs that itself.
    static OWN: RefCell<Own> = const { RefCell::new(Own { reactor: None, tasks: VecDeque::new() }) };
    /// Whether this thread polls tasks: to block it would be to wait for oneself.
    static POLLS_TASKS: Cell<bool> = const { Cell::new(false) };
}

/// The tasks of that reactor are kept, if there is one. Their place stays for the next call.
struct Own {
    reactor: Option<usize>,
    tasks: VecDeque<Runnable>,
}

/// Whether this thread polls tasks now.
pub(crate) fn is_polling() -> bool {
    POLLS_TASKS.get()
}

/// While it lives, this thread polls tasks.
pub(crate) struct Polling(bool);

impl Polling {
    pub(crate) fn begin() -> Self {
        Self(POLLS_TASKS.replace(true))
    }
}

impl Drop for Polling {
    fn drop(&mut self) {
        POLLS_TASKS.set(self.0);
    }
}

/// Keeps a task for this thread, if it gathers those of that reactor; else gives it back.
pub(crate) fn keep(reactor: usize, task: Runnable) -> Option<Runnable> {
    OWN.with_borrow_mut(|own| match own.reactor {
        Some(of) if of == reactor => {
            own.tasks.push_back(task);
            None
        }
        _ => Some(task),
    })
}

/// Wakes, and runs on this thread what that has made ready, and what follows from it. At most `turns`
/// polls: the rest is returned.
pub(crate) fn run_own(reactor: usize, turns: usize, wake: impl FnOnce()) -> VecDeque<Runnable> {
    let _polling = Polling::begin();
    OWN.with_borrow_mut(|own| own.reactor = Some(reactor));
    wake();
    for _ in 0..turns {
        let Some(task) = OWN.with_borrow_mut(|own| own.tasks.pop_front()) else { break };
        run(task);
    }
    OWN.with_borrow_mut(|own| {
        own.reactor = None;
        if own.tasks.is_empty() { VecDeque::new() } else { std::mem::take(&mut own.tasks) }
    })
}

/// Polls a task once.
pub(crate) fn run(task: Runnable) {
    contained(|| {
        task.run();
    });
}

/// Runs what may panic: the thread goes on. Handlers' panics are caught, and answered, before.
pub(crate) fn contained(run: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(run)).is_err() {
        tracing::error!("a task panicked; it has ended");
    }
}
