//! What a connection saw that was odd but no reason to close.

/// Counters of one connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionStats {
    /// Frames with a reserved flag (bits 3–7), or commands with MORE.
    pub reserved_flags: u64,
    /// Commands after the handshake whose name means nothing to us.
    pub unknown_commands: u64,
    /// READY or ERROR after the handshake.
    pub late_commands: u64,
    /// SUBSCRIBE and CANCEL, which mean nothing to a ROUTER.
    pub subscriptions: u64,
    /// PINGs, each answered.
    pub pings: u64,
    /// PONGs.
    pub pongs: u64,
    /// Messages that were dropped because they were sent before [`Ready`](crate::wire::zmtp::Ready) or after an
    /// error.
    pub unsent: u64,
}
