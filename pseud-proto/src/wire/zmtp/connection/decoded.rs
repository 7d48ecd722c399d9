//! What a look at the input came to.

use crate::message::incoming::IncomingBytes;
use crate::wire::zmtp::event::Event;

/// The next thing that the input holds.
pub(crate) enum Decoded<'a> {
    /// A message; the decoder knows where its parts lie.
    Message(IncomingBytes<'a>),
    Event(Event),
    /// The input is used up.
    Nothing,
}
