//! ZMTP 3.1: one link's bytes to messages and back. No meaning, only messages.

mod parts;

pub use parts::Parts;
