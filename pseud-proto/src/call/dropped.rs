//! Why messages were dropped.

/// Why something was dropped while its link stayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
#[non_exhaustive]
pub enum Dropped {
    /// Neither a probe nor five frames.
    BadEnvelope,
    /// The delimiter frame is not empty.
    Delimiter,
    /// The version frame is not `v1`.
    Version,
    /// The id is longer than 64 bytes, or of another length than our calls have.
    Id,
    /// The kind frame is not one byte, or no kind of ours.
    Kind,
    /// An answer to a call that was not made on its session, or is over: late, repeated, or made up.
    UnknownReply,
    /// UNAUTHORIZED, AUTHENTICATED or HELLO that nothing asked for.
    Unsolicited,
    /// An answer of ours that a v1 caller no longer waits for: sending it would have killed its reader.
    LateReply,
    /// An answer of ours whose caller is gone, also one that never came since its handler was dropped
    /// for that.
    CallerGone,
    /// A message from a session that has ended.
    Stale,
    /// A request with an id that its session has used before: see
    /// [`Limits::requests_remembered_max`](crate::Limits).
    Duplicate,
}

impl Dropped {
    /// All causes, in their order.
    pub(crate) const ALL: [Self; 11] = [
        Self::BadEnvelope,
        Self::Delimiter,
        Self::Version,
        Self::Id,
        Self::Kind,
        Self::UnknownReply,
        Self::Unsolicited,
        Self::LateReply,
        Self::CallerGone,
        Self::Stale,
        Self::Duplicate,
    ];
}
