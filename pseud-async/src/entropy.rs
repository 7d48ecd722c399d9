//! Randomness from the operating system. There is no fallback.

use std::io;

/// 32 bytes: for an endpoint, or for a connection.
///
/// # Errors
/// There are none to be had.
pub fn seed() -> io::Result<[u8; 32]> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(io::Error::other)?;
    Ok(seed)
}
