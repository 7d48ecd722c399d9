//! Who runs a node's tasks.

use std::future::Future;
use std::io;

/// Async-std starts its own threads.
#[cfg(feature = "async-std")]
pub(crate) fn start() -> io::Result<()> {
    Ok(())
}

/// Starts a task on async-std's executor.
#[cfg(feature = "async-std")]
pub(crate) fn spawn(future: impl Future<Output: Send> + Send + 'static) {
    drop(async_std::task::spawn(async move { drop(future.await) }));
}

#[cfg(not(feature = "async-std"))]
static EXECUTOR: async_executor::Executor<'static> = async_executor::Executor::new();

/// Makes sure of the thread that runs what is spawned.
///
/// # Errors
/// The system gives none.
#[cfg(not(feature = "async-std"))]
pub(crate) fn start() -> io::Result<()> {
    use std::sync::{Mutex, PoisonError};

    static STARTED: Mutex<bool> = Mutex::new(false);
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    if !*started {
        std::thread::Builder::new().name("pseud-asyncstd".into()).spawn(run)?;
        *started = true;
    }
    Ok(())
}

/// Runs tasks as long as the process lives. One that panics is over; the others go on.
#[cfg(not(feature = "async-std"))]
fn run() {
    use std::panic::catch_unwind;

    let forever = || async_io::block_on(EXECUTOR.run(std::future::pending::<()>()));
    while catch_unwind(forever).is_err() {}
}

/// Starts a task on this crate's executor.
#[cfg(not(feature = "async-std"))]
pub(crate) fn spawn(future: impl Future<Output: Send> + Send + 'static) {
    EXECUTOR.spawn(async move { drop(future.await) }).detach();
}
