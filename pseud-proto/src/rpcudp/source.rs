//! Addresses: which are the same, and which nobody sends from.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The one form of an address that may be written in several: an IPv4 one inside of IPv6, as sockets of
/// both have it; and without the flow's label.
pub(super) fn canonical(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(_) => address,
        SocketAddr::V6(mut v6) => match v6.ip().to_ipv4_mapped() {
            Some(ip) => SocketAddr::new(ip.into(), v6.port()),
            None => {
                v6.set_flowinfo(0);
                v6.into()
            }
        },
    }
}

/// Services of old that answer whatever comes: echo, daytime, qotd, chargen, time (RFC 862 to 868). With a
/// forged sender's address two of a kind would talk to each other for ever.
const ANSWERS_ANYTHING: [u16; 5] = [7, 13, 17, 19, 37];

/// Whether nobody who means well sends from there.
pub(super) fn is_bad(address: SocketAddr) -> bool {
    let port = address.port();
    let bad_ip = match address.ip() {
        IpAddr::V4(ip) => ip.is_unspecified() || ip.is_multicast() || ip.is_broadcast(),
        IpAddr::V6(ip) => ip.is_unspecified() || ip.is_multicast(),
    };
    bad_ip || port == 0 || ANSWERS_ANYTHING.contains(&port)
}

/// Whether nobody could answer a call that goes there: it reaches no one, or what comes from there is
/// dropped. Where answers are believed from anywhere a group may be called.
pub(super) fn is_nowhere(to: SocketAddr, any_source: bool) -> bool {
    to.port() == 0 || to.ip().is_unspecified() || !any_source && is_bad(to)
}

/// Whether a datagram from there is our own: the address that we are bound to, or, where that is any, our
/// port on this very host.
pub(super) fn is_own(from: SocketAddr, local: SocketAddr) -> bool {
    let any = local.ip().is_unspecified() && from.ip().is_loopback();
    from == local || any && from.port() == local.port()
}

/// Whom a limit per host counts: an IPv6 host has a whole /64.
pub(super) fn host(address: SocketAddr) -> IpAddr {
    match address.ip() {
        IpAddr::V4(ip) => ip.into(),
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_ipv4_address_is_the_same_inside_of_ipv6() {
        assert_eq!(canonical(address("[::ffff:192.0.2.1]:5")), address("192.0.2.1:5"));
        assert_ne!(canonical(address("[::1]:5")), address("127.0.0.1:5"));
    }

    #[test]
    fn o_05_addresses_that_nobody_sends_from() {
        for bad in [
            "0.0.0.0:5000",
            "[::]:5000",
            "255.255.255.255:5000",
            "224.0.0.1:5000",
            "[ff02::1]:5000",
            "192.0.2.1:0",
            "192.0.2.1:7",
            "[2001:db8::1]:19",
        ] {
            assert!(is_bad(address(bad)), "{bad}");
        }
        for good in ["192.0.2.1:5000", "127.0.0.1:8", "[2001:db8::1]:1234"] {
            assert!(!is_bad(address(good)), "{good}");
        }
    }

    #[test]
    fn o_05_addresses_that_nobody_answers_from() {
        for (to, one, any) in [
            ("192.0.2.1:0", true, true),
            ("0.0.0.0:5000", true, true),
            ("[::]:5000", true, true),
            ("224.0.0.1:5000", true, false),
            ("192.0.2.1:7", true, false),
            ("192.0.2.1:5000", false, false),
        ] {
            let nowhere = [false, true].map(|any| is_nowhere(address(to), any));
            assert_eq!(nowhere, [one, any], "{to}");
        }
    }

    #[test]
    fn o_05_our_own_address() {
        assert!(is_own(address("192.0.2.1:5"), address("192.0.2.1:5")));
        assert!(is_own(address("127.0.0.1:5"), address("0.0.0.0:5")));
        assert!(!is_own(address("127.0.0.1:6"), address("0.0.0.0:5")));
        assert!(!is_own(address("192.0.2.2:5"), address("0.0.0.0:5")));
    }
}
