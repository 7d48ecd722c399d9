//! What this process costs.

use cap::Cap;
use std::alloc::System;
#[cfg(feature = "_curve")]
use std::time::Duration;

#[global_allocator]
static BYTES: Cap<System> = Cap::new(System, usize::MAX);

/// Bytes that live on the heap now, and that lived at most.
pub(crate) fn live() -> (usize, usize) {
    (BYTES.allocated(), BYTES.max_allocated())
}

/// Bytes of private writable mappings: what is reserved counts before it is touched. `None` where
/// the system does not tell.
pub(crate) fn reserved() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmData:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<usize>().ok()? << 10)
}

/// The processors' time that it took so far, in steps of 10 ms. `None` where the system does not
/// tell.
#[cfg(feature = "_curve")]
pub(crate) fn worked() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some(Duration::from_millis(10 * (ticks()? + ticks()?)))
}
