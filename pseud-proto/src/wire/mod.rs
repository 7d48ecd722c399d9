//! Wires: bytes to messages and back. No meaning.

#[cfg(feature = "kaa")]
pub(crate) mod kaa;
pub mod zmtp;
