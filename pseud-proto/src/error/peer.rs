//! The peer's fault.

use super::Insecure;

/// The peer broke the wire's rules, is not whom we talk to, or fell silent. Its link closes; nobody else
/// is touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PeerError {
    /// Bytes that do not follow the grammar.
    #[error("malformed: {0}")]
    Malformed(Malformed),
    /// Well-formed bytes at the wrong moment, or too slowly.
    #[error("misbehaved: {0}")]
    Misbehaved(Misbehaved),
    /// A peer that speaks something else than we were told to speak.
    #[error("incompatible: {0}")]
    Incompatible(Incompatible),
    /// A peer that does not prove what its mechanism asks for.
    #[error("insecure: {0}")]
    Insecure(Insecure),
    /// It was asked about and not admitted; the number is our ERROR's: 400, or 500 where nobody
    /// could answer.
    #[error("not admitted (ERROR {0})")]
    Denied(u16),
    /// Nothing was heard within the PING time-out, or within the `ttl` that the peer announced: it is
    /// gone, or the network between is. No rule of the wire was broken.
    #[error("heartbeat time-out: nothing was heard for too long")]
    HeartbeatTimeout,
    /// It ended the session, and said why (GOAWAY). No rule of the wire was broken.
    #[error("the peer has ended the session: {0}")]
    SentAway(Parting),
    /// A length, checked before its bytes were awaited: nothing was reserved for it.
    #[error("too large: {what} of {size}, limit {max}")]
    TooLarge {
        /// What was too large, with its unit.
        what: &'static str,
        /// What the peer announced.
        size: u64,
        /// What is allowed here.
        max: u64,
    },
}

impl PeerError {
    /// Whether it may be the moment's fault and not the peer's: a link that was cut, or too slow, and
    /// nobody free to answer.
    pub(super) fn is_of_the_moment(self) -> bool {
        match self {
            Self::HeartbeatTimeout
            | Self::Malformed(Malformed::Truncated)
            | Self::Misbehaved(
                Misbehaved::HandshakeTimeout
                | Misbehaved::HandshakeIncomplete
                | Misbehaved::NotLoggedIn
                | Misbehaved::Stalled
                | Misbehaved::Unread,
            ) => true,
            Self::SentAway(parting) => parting != Parting::Revoked,
            Self::Incompatible(Incompatible::Refused(code)) | Self::Denied(code) => code != 400,
            Self::Malformed(_)
            | Self::Misbehaved(_)
            | Self::Incompatible(_)
            | Self::Insecure(_)
            | Self::TooLarge { .. } => false,
        }
    }
}

/// Why a peer says that it has ended a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Parting {
    /// We are no longer welcome there: [`Reason::Revoked`](super::Reason::Revoked).
    #[error("no longer welcome")]
    Revoked,
    /// We are to come back later, or to another server: [`Reason::Draining`](super::Reason::Draining).
    #[error("come back later")]
    Draining,
    /// Another link of our user took our name there: [`Reason::Replaced`](super::Reason::Replaced).
    #[error("another link took over this identity")]
    Replaced,
    /// Another session of our user is there already: [`Reason::Occupied`](super::Reason::Occupied).
    #[error("another session of this user is there already")]
    Occupied,
}

/// How bytes can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// The greeting's signature is not ZMTP's (byte 0 is not `FF`, or bit 0 of byte 9 is clear).
    #[error("not a ZMTP peer")]
    NotZmtp,
    /// A command whose name or body does not follow its grammar.
    #[error("bad command")]
    BadCommand,
    /// A metadata block that is cut, has an empty name, or carries left-over bytes.
    #[error("bad metadata")]
    BadMetadata,
    /// `Identity` or `Socket-Type` given twice.
    #[error("duplicate property")]
    DuplicateProperty,
    /// A reserved frame flag is set and the connection is strict.
    #[error("reserved frame flag")]
    ReservedFlag,
    /// The stream ended inside a frame or a message.
    #[error("truncated message")]
    Truncated,
    /// A message whose number of frames is neither a probe's nor pseud's.
    #[error("bad envelope")]
    BadEnvelope,
    /// kaa.rpc: a header of the handshake with another type or length than it has: garbage, or a peer
    /// that writes its numbers big-endian.
    #[error("bad header")]
    BadHeader,
}

/// How a peer can misbehave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misbehaved {
    /// The handshake was not over at its deadline.
    #[error("handshake time-out")]
    HandshakeTimeout,
    /// The stream ended before the handshake was over.
    #[error("handshake incomplete")]
    HandshakeIncomplete,
    /// A command that the handshake does not expect at this point.
    #[error("unexpected command")]
    UnexpectedCommand,
    /// Traffic before the handshake was over.
    #[error("message before the end of the handshake")]
    EarlyMessage,
    /// Too many messages or commands that bring nothing: see [`FloodLimit`](crate::FloodLimit).
    #[error("flood")]
    Flood,
    /// It called too often without having logged in: see [`Limits::unauthorized`](crate::Limits).
    #[error("calls without a login")]
    AuthFlood,
    /// It showed wrong passwords too often: see [`Limits::login_tries_max`](crate::Limits).
    #[error("too many logins refused")]
    LoginTries,
    /// It has not logged in, in time or before too many others came: see
    /// [`Limits::login_timeout`](crate::Limits) and `sessions_unnamed_max`.
    #[error("not logged in")]
    NotLoggedIn,
    /// A message was begun, and nothing more of it came within the time-out, or
    /// [too little](crate::ProgressLimit).
    #[error("stalled inside a message")]
    Stalled,
    /// It does not read what waits for it, or [too slowly](crate::ProgressLimit). As a reason that is
    /// [`Reason::SlowPeer`](super::Reason::SlowPeer).
    #[error("does not read")]
    Unread,
}

/// How a peer can be incompatible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Incompatible {
    /// ZMTP 1 or 2.
    #[error("unsupported ZMTP version")]
    UnsupportedVersion,
    /// The greeting names another mechanism than ours.
    #[error("mechanism mismatch")]
    MechanismMismatch,
    /// A missing `Socket-Type`, or one that cannot talk to a ROUTER.
    #[error("incompatible socket type")]
    SocketType,
    /// An identity that begins with a zero byte: those are reserved for ids made by the receiver.
    #[error("reserved identity")]
    ReservedIdentity,
    /// The peer refused us by an ERROR command; the number is its reason where that is three digits
    /// (`300`, `400`, `500`), else 0.
    #[error("refused by the peer (ERROR {0})")]
    Refused(u16),
}

impl From<Malformed> for PeerError {
    fn from(cause: Malformed) -> Self {
        Self::Malformed(cause)
    }
}

impl From<Misbehaved> for PeerError {
    fn from(cause: Misbehaved) -> Self {
        Self::Misbehaved(cause)
    }
}

impl From<Insecure> for PeerError {
    fn from(cause: Insecure) -> Self {
        Self::Insecure(cause)
    }
}

impl From<Incompatible> for PeerError {
    fn from(cause: Incompatible) -> Self {
        Self::Incompatible(cause)
    }
}
