//! A message as its sender hands it over.

use bytes::Bytes;

/// The caller's name for a message it sends, told back when the message was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Token(pub u64);

/// A message to send: small leading frames, then one last frame `head ‖ body ‖ tail`.
///
/// Leading frames, head and tail are copied; a body over 2 KiB is not, but under CURVE, which seals
/// a copy.
#[derive(Debug, Clone, Default)]
pub struct Outgoing<'a> {
    /// The frames before the last one.
    pub frames: &'a [&'a [u8]],
    /// How the last frame begins.
    pub head: &'a [u8],
    /// How it goes on.
    pub body: Bytes,
    /// How it ends.
    pub tail: &'a [u8],
}
