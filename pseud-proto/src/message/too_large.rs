//! What is left of a message that is over a limit.

use crate::error::PeerError;
use crate::message::parts::Parts;

/// A message whose last frame is passed over unread, since it is over a limit: see
/// [`Event::TooLarge`](crate::wire::zmtp::Event::TooLarge). What is behind it comes as ever.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TooLarge {
    /// The frames before that one.
    pub head: Parts,
    /// What is too large, with its unit.
    pub what: &'static str,
    /// What the peer announced.
    pub size: u64,
    /// What is allowed here.
    pub max: u64,
}

impl TooLarge {
    /// The error to close the link with, where such a message is not to be passed over.
    pub fn error(&self) -> PeerError {
        let Self { what, size, max, .. } = *self;
        PeerError::TooLarge { what, size, max }
    }
}
