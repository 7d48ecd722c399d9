//! What a connection has to tell.

#[cfg(feature = "_curve")]
use crate::auth::keys::key::PublicKey;
use crate::auth::mechanism_name::MechanismName;
use crate::auth::question::Question;
use crate::auth::socket_type::SocketType;
use crate::auth::user::User;
use crate::message::incoming::IncomingMessage;
use crate::message::outgoing::Token;
use crate::message::parts::Parts;
use crate::message::too_large::TooLarge;
use bytes::Bytes;

/// What [`Connection::receive`](crate::wire::zmtp::Connection::receive) found.
#[derive(Debug)]
#[non_exhaustive]
pub enum Incoming<'a> {
    /// A whole message, where it lies.
    Message(IncomingMessage<'a>),
    /// Anything else.
    Event(Event),
}

impl Incoming<'_> {
    /// The same, to keep.
    pub fn into_event(self) -> Event {
        match self {
            Self::Message(message) => Event::Message(message.into_parts()),
            Self::Event(event) => event,
        }
    }
}

/// What [`Connection::poll_event`](crate::wire::zmtp::Connection::poll_event) tells.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// Somebody must decide whether this peer may come in, within the handshake's time: see
    /// [`Connection::answer`](crate::wire::zmtp::Connection::answer). At most once, before `Ready`, and only as
    /// the server of PLAIN or CURVE.
    Ask(Question),
    /// The handshake is over: from now on messages may be sent. Once, before any message.
    Ready(Box<Ready>),
    /// A whole message.
    Message(Parts),
    /// A message whose last frame is over a limit: all that is read of it. Only where
    /// [`Connection::skip_too_large`](crate::wire::zmtp::Connection::skip_too_large) was asked for.
    TooLarge(Box<TooLarge>),
    /// All bytes of the message with that token were written, and of all that were sent before it.
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
    /// Who the peer is: the user of our own [`Verdict::Admit`](crate::auth::question::Verdict::Admit). Anonymous
    /// where nobody was asked. A peer cannot set it: what it sends as `User-Id` is dropped.
    pub user: User,
    /// The key that a client of CURVE has proven, on the side of its server.
    #[cfg(feature = "_curve")]
    pub client_key: Option<PublicKey>,
    /// Its application properties, names and values: those whose names begin with `X-`. Together
    /// at most `FrameLimits::command_bytes_max`.
    pub properties: Vec<(Bytes, Bytes)>,
}
