//! What a connection has to tell.

use super::mechanism::{MechanismName, Question};
use super::outgoing::Token;
use super::parts::Parts;
use super::socket_type::SocketType;
use crate::error::PeerError;
use crate::user::User;
use bytes::Bytes;

/// What [`Connection::poll_event`](super::Connection::poll_event) tells.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// Somebody must decide whether this peer may come in, within the handshake's time: see
    /// [`Connection::answer`](super::Connection::answer). At most once, before `Ready`, and only as
    /// the server of PLAIN or CURVE.
    Ask(Question),
    /// The handshake is over: from now on messages may be sent. Once, before any message.
    Ready(Ready),
    /// A whole message.
    Message(Parts),
    /// A message whose last frame is over a limit: all that is read of it. Only where
    /// [`Connection::skip_too_large`](super::Connection::skip_too_large) was asked for.
    TooLarge(Box<TooLarge>),
    /// All bytes of the message with that token were written. In the order of sending.
    Written(Token),
}

/// What the peer told about itself. Nothing of it is proven but `user`, and what the key of a CURVE
/// peer vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ready {
    /// Its identity: at most 255 bytes, first byte not zero, empty if it told none.
    pub identity: Bytes,
    /// What socket it says it is.
    pub socket_type: SocketType,
    /// The ZMTP minor version spoken on this link: 0 or 1. Under 0 there is no PING.
    pub minor: u8,
    /// The mechanism that both sides named.
    pub mechanism: MechanismName,
    /// Who the peer is: the user of our own [`Verdict::Admit`](super::Verdict::Admit). Anonymous
    /// where nobody was asked. A peer cannot set it: what it sends as `User-Id` is dropped.
    pub user: User,
    /// Its application properties, names and values: those whose names begin with `X-`. Together
    /// at most `FrameLimits::command_bytes_max`.
    pub properties: Vec<(Bytes, Bytes)>,
}

/// A message whose last frame is passed over unread, since it is over a limit: see
/// [`Event::TooLarge`]. What is behind it comes as ever.
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
