//! What sessions of one user, or from one address, share.

use crate::call::peer::PeerInfo;
use crate::rpc::share::Share;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Whom a share is of: one user, or, without a user, one source address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShareOwner(Owner);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Owner {
    User(Bytes),
    /// An IPv4 address, or the network of an IPv6 address: its first 64 bits, all of which one host has.
    Source(u64),
}

impl ShareOwner {
    /// That peer's; `None` for who shares with nobody: an unknown address, or one of this machine itself,
    /// behind which a proxy may have many.
    pub fn of(info: &PeerInfo) -> Option<Self> {
        if !info.user.is_anonymous() {
            return Some(Self(Owner::User(info.user.id().clone())));
        }
        Self::of_source(info)
    }

    /// That of its address, whoever it is.
    pub(crate) fn of_source(info: &PeerInfo) -> Option<Self> {
        let address: SocketAddr = info.address.parse().ok()?;
        Self::source(address.ip())
    }

    /// That of who is no user at that address; `None` at one of this machine itself.
    pub fn source(ip: IpAddr) -> Option<Self> {
        match ip.to_canonical() {
            ip if ip.is_loopback() => None,
            IpAddr::V4(ip) => Some(Self(Owner::Source(u64::from(u32::from(ip))))),
            IpAddr::V6(ip) => Some(Self(Owner::Source((u128::from(ip) >> 64) as u64))),
        }
    }
}

/// The shares, each as long as a session has it.
#[derive(Debug, Default)]
pub(crate) struct Shares {
    table: BTreeMap<ShareOwner, (Arc<Share>, usize)>,
}

impl Shares {
    /// One session more; `None`: it shares with nobody.
    pub(crate) fn join(&mut self, of: Option<&ShareOwner>) -> Option<Arc<Share>> {
        let of = of?;
        let (share, sessions) = self.table.entry(of.clone()).or_default();
        *sessions += 1;
        Some(share.clone())
    }

    pub(crate) fn leave(&mut self, of: Option<&ShareOwner>) {
        let Some(of) = of else { return };
        let Some((_, sessions)) = self.table.get_mut(of) else { return };
        *sessions -= 1;
        if *sessions == 0 {
            self.table.remove(of);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_of_a_user_or_of_a_source_and_goes_with_its_last_session() {
        let of = |user: &'static str, address: &str| {
            ShareOwner::of(&PeerInfo::new("x".into()).with_user(user).with_address(address))
        };
        assert_eq!(of("alice", "192.0.2.1:5"), of("alice", "192.0.2.2:6"));
        assert_eq!(of("", "192.0.2.1:5"), of("", "192.0.2.1:6"));
        assert_ne!(of("", "192.0.2.1:5"), of("", "192.0.2.2:5"));
        assert_eq!(of("", "[2001:db8::1]:5"), of("", "[2001:db8::ffff]:5"));
        assert_ne!(of("", "[2001:db8:0:1::1]:5"), of("", "[2001:db8::1]:5"));
        assert_eq!(of("", "[::ffff:192.0.2.1]:5"), of("", "192.0.2.1:5"));
        for local in ["", "127.0.0.1:5", "[::1]:5", "ipc:///tmp/x"] {
            assert_eq!(of("", local), None, "{local}");
        }
        let (mut shares, alice) = (Shares::default(), of("alice", ""));
        let [one, other] = [(); 2].map(|()| shares.join(alice.as_ref()).unwrap());
        one.take_request();
        assert_eq!((other.requests(), shares.join(None).is_none()), (1, true));
        for left in [1, 0] {
            shares.leave(alice.as_ref());
            assert_eq!(shares.table.len(), left);
        }
    }
}
