//! The host of a `tcp://` endpoint: what a resolver may be asked, and nothing that it would guess at.

use std::net::{Ipv4Addr, Ipv6Addr};

/// What a name has at most (RFC 1035 §2.3.4), without the dot at its end.
const NAME_BYTES_MAX: usize = 253;
/// What each part of it has at most.
const LABEL_BYTES_MAX: usize = 63;

/// The host, without brackets: `*`, an IPv4 address, an IPv6 address from between brackets, or a name.
pub(crate) fn parse(host: &str) -> Result<&str, &'static str> {
    if let Some(rest) = host.strip_prefix('[') {
        let inside = rest.strip_suffix(']').ok_or("the bracket of the host is not closed")?;
        return check_ipv6(inside).map(|()| inside);
    }
    match host {
        "" => Err("it has no host"),
        "*" => Ok(host),
        _ if host.contains(':') => Err("an IPv6 address stands in brackets: [::1]:5555"),
        _ if ends_in_a_number(host) => check_ipv4(host).map(|()| host),
        _ => check_name(host).map(|()| host),
    }
}

/// An address and, where it is of one link only, its zone (RFC 4007 §11): `fe80::1%eth0`.
fn check_ipv6(inside: &str) -> Result<(), &'static str> {
    let (address, zone) = inside.split_once('%').unwrap_or((inside, "a"));
    if address.parse::<Ipv6Addr>().is_err() {
        return Err("what stands in brackets is no IPv6 address");
    }
    let is_zone = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    match !zone.is_empty() && zone.bytes().all(is_zone) {
        true => Ok(()),
        false => Err("the zone behind the `%` is no interface's name or number"),
    }
}

/// Resolvers read such a host as an address, in forms of their own: `127.1`, `0x7f.1`, `2130706433`.
fn ends_in_a_number(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let last = host.rsplit('.').next().unwrap_or(host);
    let hex = last.strip_prefix("0x").or(last.strip_prefix("0X"));
    match hex {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

fn check_ipv4(host: &str) -> Result<(), &'static str> {
    let cause = "an IPv4 address is four numbers from 0 to 255: 127.0.0.1";
    host.parse::<Ipv4Addr>().map(drop).map_err(|_| cause)
}

/// A name as hosts have them, with `_` besides; an international one is written in its `xn--` form.
fn check_name(host: &str) -> Result<(), &'static str> {
    let name = host.strip_suffix('.').unwrap_or(host);
    let is_label = |label: &str| {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && label.bytes().all(known)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    match name.len() <= NAME_BYTES_MAX && name.split('.').all(is_label) {
        true => Ok(()),
        false => Err("the host is neither an address nor a name of letters, digits, `-` and dots"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_08_hosts_that_can_be_looked_up() {
        let long = ["x"; 127].join(".");
        for host in [
            "*",
            "0.0.0.0",
            "255.255.255.255",
            "localhost",
            "a",
            "example.org",
            "example.org.",
            "my_service.internal",
            "xn--bcher-kva.example",
            "3com.com",
            "1.2.3.4.example",
            &long,
        ] {
            assert_eq!(parse(host), Ok(host));
        }
        for host in ["::", "::1", "::ffff:192.0.2.1", "fe80::1%eth0", "fe80::1%12", "2001:DB8::"] {
            assert_eq!(parse(&format!("[{host}]")), Ok(host));
        }
    }

    #[test]
    fn p_08_hosts_that_nobody_has() {
        let (long, label) = (["x"; 128].join("."), "x".repeat(64));
        for host in [
            "",
            "[]",
            "[",
            "]",
            "[]]",
            "[[::1]]",
            "[::1",
            "::1]",
            "[::1]x",
            "x[::1]",
            "[*]",
            "**",
            "[127.0.0.1]",
            "[localhost]",
            "[::1%]",
            "[%eth0]",
            "[::1%a b]",
            "[::1%a%b]",
            "[ ::1]",
            "[:::]",
            "[1:2]",
            "::1",
            ".",
            "..",
            "a..b",
            ".a",
            "-",
            "-a",
            "a-",
            "a b",
            " a",
            "a ",
            "a\n",
            "a\t",
            "a\0",
            "a/b",
            "a?b",
            "a#b",
            "a@b",
            "a\\b",
            "a*",
            "a;b",
            "a,b",
            "a%b",
            "bücher.example",
            "127.1",
            "1",
            "0x7f.1",
            "0x7f000001",
            "2130706433",
            "127.0.0.1.",
            "127.0.0.01",
            "256.0.0.1",
            "1.2.3",
            "1.2.3.4.5",
            "a.0",
            "a.0x1",
            &long,
            &label,
        ] {
            assert!(parse(host).is_err(), "{host:?}");
        }
    }
}
