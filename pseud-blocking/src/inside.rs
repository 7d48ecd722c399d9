//! Whether this thread may block.

use crate::threads::tasks;
use std::fmt;
use std::io;
use std::thread;

/// This thread must not block: others wait for what it does. It runs the tasks of an async runtime, or
/// of a node: an inline handler, a predicate.
///
/// Seen are workers of tokio (with this crate's feature `tokio`; its `spawn_blocking` may block, and is
/// the way to call from there), of async-std and of smol, and this library's own threads for tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct WouldBlock;

impl fmt::Display for WouldBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&pseud_proto::CallRefused::WouldBlock, f)
    }
}

impl std::error::Error for WouldBlock {}

impl From<WouldBlock> for pseud_async::EndpointError {
    fn from(error: WouldBlock) -> Self {
        Self::Runtime(error.into())
    }
}

impl From<WouldBlock> for io::Error {
    fn from(error: WouldBlock) -> Self {
        Self::new(io::ErrorKind::Unsupported, error)
    }
}

/// How runtimes that say nothing else of themselves name the threads that poll tasks: async-std
/// (`async_global_executor`'s setting), smol, async-global-executor.
const WORKERS: &[&str] = &["async-std/runtime", "smol-", "async-global-executor-"];

pub(crate) fn may_block() -> Result<(), WouldBlock> {
    match tasks::is_polling() || is_worker() || is_tokio_worker() {
        true => Err(WouldBlock),
        false => Ok(()),
    }
}

fn is_worker() -> bool {
    let thread = thread::current();
    thread.name().is_some_and(|name| WORKERS.iter().any(|worker| name.starts_with(worker)))
}

/// Tokio has no question for that: within a runtime, only to block tells whether that is allowed. It is
/// allowed in `spawn_blocking` and `block_in_place`. Where it is not, tokio panics, which the process's
/// panic hook hears of. A build that aborts at panics is not asked.
#[cfg(all(feature = "tokio", panic = "unwind"))]
fn is_tokio_worker() -> bool {
    let Ok(handle) = tokio::runtime::Handle::try_current() else { return false };
    std::panic::catch_unwind(|| handle.block_on(std::future::ready(()))).is_err()
}

#[cfg(not(all(feature = "tokio", panic = "unwind")))]
fn is_tokio_worker() -> bool {
    false
}
