//! Where strangers come from, as far as they are told apart.

use std::net::IpAddr;

/// What one subscriber of a network has: an IPv4 address, or an IPv6 /64 (RFC 6177 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Block {
    /// This machine, by a Unix socket.
    Local,
    V4(u32),
    /// The upper half of the address.
    V6(u64),
}

impl Block {
    pub(super) fn of(address: Option<IpAddr>) -> Self {
        match address.map(|ip| ip.to_canonical()) {
            None => Self::Local,
            Some(IpAddr::V4(ip)) => Self::V4(ip.to_bits()),
            Some(IpAddr::V6(ip)) => Self::V6((ip.to_bits() >> 64) as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(address: &str) -> Block {
        Block::of(Some(address.parse().unwrap()))
    }

    #[test]
    fn a_subscriber_is_one_source() {
        assert_eq!(block("2001:db8:1:2::1"), block("2001:db8:1:2:ffff::2"));
        assert_ne!(block("2001:db8:1:2::1"), block("2001:db8:1:3::1"));
        assert_eq!(block("::ffff:192.0.2.1"), block("192.0.2.1"));
        assert_ne!(block("192.0.2.1"), block("192.0.2.2"));
        assert_ne!(Block::of(None), block("127.0.0.1"));
    }
}
