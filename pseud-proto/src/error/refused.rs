//! The local caller's fault.

use std::borrow::Cow;

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
    /// The arguments are over one of [`ValueLimits`](crate::value::ValueLimits).
    #[error("{size} {what} exceed the limit of {max}")]
    OverLimit {
        /// How much there is: 300 000.
        size: usize,
        /// How much there may be.
        max: usize,
        /// Of what: `values`.
        what: &'static str,
    },
    /// The dotted name is empty, or a part of it that was given on its own.
    #[error("a call needs the name of what it calls, and every part of that name")]
    NameEmpty,
    /// The identity or user id is empty: nobody has it, since who announces none is given one, and who
    /// is no user has none.
    #[error("a peer that is called by name needs one: the identity that it announces, or its user")]
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
    /// A thread would wait for the call that must not: it runs the tasks of an async runtime, or of a node.
    #[error(
        "this thread runs the tasks of an async runtime, or of a node: to wait here would block them"
    )]
    WouldBlock,
}

impl CallRefused {
    /// Whether the same call may be taken a little later: what stands in its way is pending, queued or
    /// a session of others, not the call itself.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::TooManyPending { .. } | Self::QueueFull { .. } | Self::SeveralSessions { .. } => {
                true
            }
            Self::BodyTooLarge { .. }
            | Self::OverLimit { .. }
            | Self::NameEmpty
            | Self::PeerNameEmpty
            | Self::NameTooLong { .. }
            | Self::NoServer
            | Self::TooManyHops { .. }
            | Self::OriginTooLong { .. }
            | Self::Arguments(_)
            | Self::WouldBlock => false,
        }
    }
}
