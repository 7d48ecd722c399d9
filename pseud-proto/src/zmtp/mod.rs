//! ZMTP 3.1: one link's bytes to messages and back. No meaning, only messages.

mod parts;

pub use parts::Parts;
/// t
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token(pub u64);
/// t
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SocketType {
    /// t
    Router,
}
/// t
pub struct Outgoing<'a> {
    /// t
    pub frames: &'a [&'a [u8]],
    /// t
    pub head: &'a [u8],
    /// t
    pub body: bytes::Bytes,
    /// t
    pub tail: &'a [u8],
}
