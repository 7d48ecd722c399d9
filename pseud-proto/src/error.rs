//! Errors by blame: who is at fault decides the type.
//!
//! | type | whose fault | what follows |
//! |---|---|---|
//! | [`PeerError`] | the peer's | its link closes, or that message is dropped where framing is sound |
//! | [`CallRefused`] | the local caller's | nothing was sent |
//! | [`Fault`] | the far handler's | an outcome of the call, not an error of the machine |
//! | [`Refusal`] | nobody's, or the caller's | a request is not executed, and its caller is told so |
//! | [`Reason`] | the world's | why a call has no answer, or why a session ended |

mod exception;
mod fault;
mod fault_from;
mod insecure;
mod python_text;
mod refusal;

pub use exception::Exception;
pub use fault::Fault;
pub use insecure::Insecure;
pub use refusal::Refusal;

use std::borrow::Cow;
use std::fmt;

/// The peer broke the wire's rules. Its link closes; nobody else is touched.
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
    /// A length, judged before its bytes were awaited: nothing was reserved for it.
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
    /// A message was begun, and nothing more of it came within the time-out.
    #[error("stalled inside a message")]
    Stalled,
    /// Nothing was heard within the PING time-out, or within the `ttl` that the peer announced.
    #[error("silent for too long")]
    Silent,
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

/// The local caller asked for what cannot be done. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallRefused {
    /// Too many calls of this endpoint are pending.
    #[error("{max} calls are pending already")]
    TooManyPending {
        /// `Limits::calls_pending_max` or `Limits::calls_pending_per_peer_max`.
        max: usize,
    },
    /// The peer's queue is full: it does not read as fast as we call.
    #[error("the queue to this peer is full ({queued} of {max} bytes)")]
    QueueFull {
        /// Bytes queued now.
        queued: usize,
        /// `Limits::queue_bytes_soft_max`.
        max: usize,
    },
    /// The encoded call is over `Limits::body_bytes_max`, or over what its peer takes.
    #[error("a body of {size} bytes exceeds the limit of {max}")]
    BodyTooLarge {
        /// Its size, in bytes.
        size: usize,
        /// `Limits::body_bytes_max`, or the peer's.
        max: usize,
    },
    /// The dotted name is empty, or a part of it that was given on its own.
    #[error("a call needs the name of what it calls, and every part of that name")]
    NameEmpty,
    /// The routing id or user id is empty: nobody has it, since who announces none is given one, and who
    /// is no user has none.
    #[error(
        "a peer that is called by name needs one: the routing id that it announces, or its user"
    )]
    PeerNameEmpty,
    /// The dotted name is longer than 255 bytes.
    #[error("a name of {size} bytes exceeds the limit of {max}")]
    NameTooLong {
        /// Its size, in bytes.
        size: usize,
        /// The limit.
        max: usize,
    },
    /// The call goes to "the server", but this endpoint was configured with none.
    #[error("no server is configured: name the peer to call")]
    NoServer,
    /// The user has several sessions, and the caller wants the only one.
    #[error("the user has {count} sessions")]
    SeveralSessions {
        /// How many.
        count: usize,
    },
    /// More calls led to this one than may: peers call each other in a circle.
    #[error("more than {max} hops: peers call each other in a circle")]
    TooManyHops {
        /// `Limits::hops_max`.
        max: u32,
    },
    /// The id of the user in whose name it is made is too long to travel.
    #[error("a user id of {size} bytes exceeds the limit of {max}")]
    OriginTooLong {
        /// Its size, in bytes.
        size: usize,
        /// The limit.
        max: usize,
    },
    /// The arguments cannot be encoded.
    #[error("{0}")]
    Arguments(Cow<'static, str>),
}

/// Why a call has no answer, or why a session ended. One word for each thing, everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The deadline passed.
    TimedOut,
    /// There was no link to that peer.
    NotConnected,
    /// The link ended.
    PeerGone,
    /// The peer broke the protocol and its link was closed.
    PeerFault(PeerError),
    /// The peer refused the call: we are not authenticated there, or may not call in that user's
    /// name.
    Unauthorized,
    /// The peer had no room for the call; or, when it came, our queue to it had none.
    TooBusy,
    /// The peer is shutting down and takes no new calls.
    Draining,
    /// The peer serves nothing of that name, or not to us. A v1 peer says so by a fault:
    /// [`Fault::is_service_not_found`].
    NoSuchService,
    /// The peer found the call's arguments malformed.
    BadCall,
    /// The call came too far: peers call each other in a circle.
    TooManyHops,
    /// The peer refused the call for a reason that this version does not know.
    Refused,
    /// The caller gave up.
    Cancelled,
    /// An answer came, but its body does not follow the grammar.
    BadReply,
    /// An answer came, but it is over a limit.
    TooLarge,
    /// The call is larger than its peer takes.
    CallTooLarge,
    /// The peer cannot understand what would have to be sent.
    Unsupported,
    /// A newer link took over this peer's identity.
    Replaced,
    /// We ended the session: its user is no longer welcome.
    Revoked,
    /// The peer did not read what was queued for it.
    SlowPeer,
    /// A reply was on its way but could not be written before a v1 caller gives up: finishing it
    /// would have killed that caller's reader.
    LateReply,
    /// This side shut down.
    Shutdown,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::TimedOut => "timed out",
            Self::NotConnected => "not connected",
            Self::PeerGone => "the peer is gone",
            Self::PeerFault(error) => return write!(f, "the peer broke the protocol: {error}"),
            Self::Unauthorized => "unauthorized: the peer does not let this user make the call",
            Self::TooBusy => "the peer is too busy: try again later",
            Self::Draining => "the peer is shutting down: try again later, or another one",
            Self::NoSuchService => "the peer serves nothing of that name, or not to this user",
            Self::BadCall => "the peer found the arguments malformed",
            Self::TooManyHops => "too many hops: peers call each other in a circle",
            Self::Refused => "the peer refused the call",
            Self::Cancelled => "cancelled",
            Self::BadReply => "the reply is not well-formed",
            Self::TooLarge => "the reply is too large",
            Self::CallTooLarge => "the call is larger than the peer takes",
            Self::Unsupported => "the peer does not support this",
            Self::Replaced => "another link took over this identity",
            Self::Revoked => "no longer welcome",
            Self::SlowPeer => "the peer does not read",
            Self::LateReply => "a reply would have come too late",
            Self::Shutdown => "shut down",
        };
        f.write_str(text)
    }
}

/// Whether a call that was closed locally may have run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Executed {
    /// It never left: a retry is safe.
    No,
    /// It had left: the far handler may have run.
    Maybe,
}
