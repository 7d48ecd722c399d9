//! The ends of a link.

/// Which end of the link we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// We opened it.
    Connecting,
    /// We accepted it: the peer is a client, which has nothing to refuse us.
    Accepting,
}
