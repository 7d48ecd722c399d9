//! How much memory this process may write to.

/// Bytes of private writable mappings: what is reserved counts before it is touched. `None` where
/// the system does not tell.
pub(crate) fn reserved() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmData:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<usize>().ok()? << 10)
}
