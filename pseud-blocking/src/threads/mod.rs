//! Threads instead of a runtime: one that waits for sockets and timers, and a pool for what blocks.

pub(crate) mod pool;
pub(crate) mod reactor;
pub(crate) mod tasks;
pub(crate) mod timers;
