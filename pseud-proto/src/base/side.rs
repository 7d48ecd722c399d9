//! The ends of a link.

/// Which end of the link we are.
///
/// Closed: a link has two ends (RFC 37 §3: peers that connect, and peers that accept).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// We opened it.
    Connecting,
    /// We accepted it: the peer is a client, which has nothing to refuse us.
    Accepting,
}
