//! What a connection saw that was odd but no reason to close.

/// Counters of one connection. Each stays at its end once it is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionStats {
    /// Frames with a reserved flag (bits 3–7), or commands with MORE.
    pub reserved_flags: u32,
    /// Commands after the handshake whose name means nothing to us.
    pub unknown_commands: u32,
    /// READY or ERROR after the handshake.
    pub late_commands: u32,
    /// SUBSCRIBE and CANCEL, which mean nothing to a ROUTER.
    pub subscriptions: u32,
    /// PINGs, each answered.
    pub pings: u32,
    /// PONGs.
    pub pongs: u32,
    /// Messages that were dropped because they were sent before [`Ready`](crate::wire::zmtp::Ready) or after an
    /// error.
    pub unsent: u32,
}
