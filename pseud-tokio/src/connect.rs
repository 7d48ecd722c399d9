//! Opening a connection to an endpoint: its addresses are tried side by side (RFC 8305).

use crate::socket::{Stream, unsupported};
use pseud_proto::address::Address;
use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long an address has for itself before the next one is tried beside it (RFC 8305 §5).
const HEAD_START: Duration = Duration::from_millis(250);

/// Opens a connection; every address has `at_most` to answer. `failed` is told of each that did not.
pub(crate) async fn connect(
    address: &Address,
    at_most: Duration,
    mut failed: impl FnMut(io::Error),
) -> Option<Stream> {
    let stream = match address {
        Address::Tcp { host, port } => match resolve(host, *port).await {
            Ok(addresses) => return race(addresses, at_most, failed).await.map(Stream::Tcp),
            Err(error) => Err(error),
        },
        #[cfg(unix)]
        Address::Ipc { path } => UnixStream::connect(path).await.map(Stream::Unix),
        #[cfg(target_os = "linux")]
        Address::IpcAbstract { name } => {
            UnixStream::connect(format!("\0{name}")).await.map(Stream::Unix)
        }
        _ => Err(unsupported()),
    };
    stream.map_err(&mut failed).ok()
}

/// The first of the addresses that answers. The next one is tried when one has failed, or has not
/// answered within its head start.
async fn race(
    addresses: Vec<SocketAddr>,
    at_most: Duration,
    mut failed: impl FnMut(io::Error),
) -> Option<TcpStream> {
    if addresses.is_empty() {
        failed(io::Error::new(io::ErrorKind::NotFound, "that name has no address"));
    }
    let several = addresses.len() > 1;
    let (mut waiting, mut tried) = (interleaved(addresses), JoinSet::new());
    loop {
        if let Some(address) = waiting.pop_front() {
            tried.spawn(async move { (address, open(address, at_most).await) });
        }
        let joined = match waiting.is_empty() {
            true => tried.join_next().await,
            false => match timeout(HEAD_START, tried.join_next()).await {
                Ok(joined) => joined,
                Err(_) => continue,
            },
        };
        match joined?.ok()? {
            (_, Ok(stream)) => return Some(stream),
            (address, Err(error)) if several => {
                failed(io::Error::new(error.kind(), format!("{address}: {error}")));
            }
            (_, Err(error)) => failed(error),
        }
    }
}

async fn open(address: SocketAddr, at_most: Duration) -> io::Result<TcpStream> {
    let Ok(stream) = timeout(at_most, TcpStream::connect(address)).await else {
        let text = format!("no answer within {at_most:?}");
        return Err(io::Error::new(io::ErrorKind::TimedOut, text));
    };
    let stream = stream?;
    // A port that is free for us to listen on is also free to connect from.
    if stream.local_addr()? == stream.peer_addr()? {
        return Err(io::Error::other("it connected to itself: nobody listens there"));
    }
    Ok(stream)
}

/// The two families in turn, the first one's first (RFC 8305 §4): where one is broken as a whole, the
/// other is not waited for long.
fn interleaved(addresses: Vec<SocketAddr>) -> VecDeque<SocketAddr> {
    let first_is_v4 = addresses.first().is_some_and(SocketAddr::is_ipv4);
    let (one, other): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv4() == first_is_v4);
    let (mut one, mut other) = (one.into_iter(), other.into_iter());
    let mut mixed = VecDeque::new();
    while one.len() + other.len() > 0 {
        mixed.extend(one.next());
        mixed.extend(other.next());
    }
    mixed
}

/// The addresses of a host, in the order in which the resolver gives them.
///
/// No resolver is asked what `localhost` is (RFC 6761 §6.3): passwords in clear are trusted to that name.
pub(crate) async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if host.eq_ignore_ascii_case("localhost") {
        // libzmq looks for IPv4 alone unless told otherwise.
        let here = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        return Ok(here.map(|ip| SocketAddr::new(ip, port)).into());
    }
    Ok(lookup_host((host, port)).await?.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn localhost_is_this_machine_whatever_a_resolver_says() {
        for host in ["localhost", "LocalHost"] {
            let found = resolve(host, 5555).await.unwrap();
            let loopback = ["127.0.0.1:5555", "[::1]:5555"].map(|text| text.parse().unwrap());
            assert_eq!(found, loopback);
        }
        let literal = resolve("::ffff:192.0.2.1", 1).await.unwrap();
        assert_eq!(literal, ["[::ffff:192.0.2.1]:1".parse().unwrap()]);
    }

    #[test]
    fn families_take_turns() {
        let addresses = ["[::1]:1", "[::2]:1", "[::3]:1", "192.0.2.1:1", "192.0.2.2:1"];
        let mixed = interleaved(addresses.map(|text| text.parse().unwrap()).into());
        let mixed: Vec<String> = mixed.iter().map(ToString::to_string).collect();
        assert_eq!(mixed, ["[::1]:1", "192.0.2.1:1", "[::2]:1", "192.0.2.2:1", "[::3]:1"]);
    }
}
