//! Wires: bytes to messages and back. No meaning.

pub mod zmtp;
