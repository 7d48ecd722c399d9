//! Opening a connection to an endpoint: its addresses are tried side by side (RFC 8305).

use crate::runtime::time::{after, by};
use crate::runtime::{Runtime, SocketAddress, Stream, unsupported};
use pseud_proto::address::{Address, Transport};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// How long an address has for itself before the next one is tried beside it (RFC 8305 §5).
const HEAD_START: Duration = Duration::from_millis(250);

/// Opens a connection; every address has `at_most` to answer. `failed` is told of each that did not.
pub(crate) async fn connect<R: Runtime>(
    runtime: &R,
    address: &Address,
    at_most: Duration,
    mut failed: impl FnMut(io::Error),
) -> Option<R::Stream> {
    let to = match address.transport() {
        Transport::Tcp { host, port } => match resolve(runtime, host, *port).await {
            Ok(addresses) => return race(runtime, addresses, at_most, failed).await,
            Err(error) => Err(error),
        },
        Transport::Ipc { path } => Ok(SocketAddress::UnixPath(path.into())),
        Transport::IpcAbstract { name } => Ok(SocketAddress::UnixAbstract(name.clone())),
        _ => Err(unsupported()),
    };
    let stream = match to {
        Ok(to) => runtime.connect(&to).await,
        Err(error) => Err(error),
    };
    stream.map_err(&mut failed).ok()
}

/// The first of the addresses that answers. The next one is tried when one has failed, or has not
/// answered within its head start.
async fn race<R: Runtime>(
    runtime: &R,
    addresses: Vec<SocketAddr>,
    at_most: Duration,
    mut failed: impl FnMut(io::Error),
) -> Option<R::Stream> {
    if addresses.is_empty() {
        failed(io::Error::new(io::ErrorKind::NotFound, "that name has no address"));
    }
    let several = addresses.len() > 1;
    let (mut waiting, mut tried) = (interleaved(addresses), Attempts(Vec::new()));
    loop {
        if let Some(address) = waiting.pop_front() {
            let attempt = async move { (address, open(runtime, address, at_most).await) };
            tried.0.push(Box::pin(attempt));
        }
        let next = poll_fn(|cx| tried.poll_next(cx));
        let over = match waiting.is_empty() {
            true => next.await,
            false => match by(runtime, runtime.now() + HEAD_START, next).await {
                Some(over) => over,
                None => continue,
            },
        };
        match over? {
            (_, Ok(stream)) => return Some(stream),
            (address, Err(error)) if several => {
                failed(io::Error::new(error.kind(), format!("{address}: {error}")));
            }
            (_, Err(error)) => failed(error),
        }
    }
}

/// An attempt at one address.
type Attempt<'a, S> = Pin<Box<dyn Future<Output = (SocketAddr, io::Result<S>)> + Send + 'a>>;

/// Attempts that go on side by side, as few as a name has addresses.
struct Attempts<'a, S>(Vec<Attempt<'a, S>>);

impl<S> Attempts<'_, S> {
    /// The next one that is over; `None` where there is none.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<(SocketAddr, io::Result<S>)>> {
        for number in 0..self.0.len() {
            if let Poll::Ready(over) = self.0[number].as_mut().poll(cx) {
                drop(self.0.swap_remove(number));
                return Poll::Ready(Some(over));
            }
        }
        if self.0.is_empty() { Poll::Ready(None) } else { Poll::Pending }
    }
}

async fn open<R: Runtime>(
    runtime: &R,
    address: SocketAddr,
    at_most: Duration,
) -> io::Result<R::Stream> {
    let (until, to) = (after(runtime.now(), at_most), SocketAddress::Tcp(address));
    let Some(stream) = by(runtime, until, runtime.connect(&to)).await else {
        let text = format!("no answer within {at_most:?}");
        return Err(io::Error::new(io::ErrorKind::TimedOut, text));
    };
    let stream = stream?;
    // A port that is free for us to listen on is also free to connect from.
    if stream.is_connected_to_itself()? {
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
pub(crate) async fn resolve<R: Runtime>(
    runtime: &R,
    host: &str,
    port: u16,
) -> io::Result<Vec<SocketAddr>> {
    match known(host, port) {
        Some(addresses) => Ok(addresses),
        None => runtime.resolve(host, port).await,
    }
}

/// The addresses of a host that no resolver is asked about: literal ones, and `localhost` (RFC 6761
/// §6.3), since passwords in clear are trusted to that name.
fn known(host: &str, port: u16) -> Option<Vec<SocketAddr>> {
    if host.eq_ignore_ascii_case("localhost") {
        // libzmq looks for IPv4 alone unless told otherwise.
        let here = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        return Some(here.map(|ip| SocketAddr::new(ip, port)).into());
    }
    Some(vec![SocketAddr::new(host.parse().ok()?, port)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localhost_is_this_machine_whatever_a_resolver_says() {
        for host in ["localhost", "LocalHost"] {
            let loopback = ["127.0.0.1:5555", "[::1]:5555"].map(|text| text.parse().unwrap());
            assert_eq!(known(host, 5555).unwrap(), loopback);
        }
        let literal = known("::ffff:192.0.2.1", 1).unwrap();
        assert_eq!(literal, ["[::ffff:192.0.2.1]:1".parse().unwrap()]);
        assert_eq!(known("localhost.example", 1), None);
    }

    #[test]
    fn families_take_turns() {
        let addresses = ["[::1]:1", "[::2]:1", "[::3]:1", "192.0.2.1:1", "192.0.2.2:1"];
        let mixed = interleaved(addresses.map(|text| text.parse().unwrap()).into());
        let mixed: Vec<String> = mixed.iter().map(ToString::to_string).collect();
        assert_eq!(mixed, ["[::1]:1", "192.0.2.1:1", "[::2]:1", "192.0.2.2:1", "[::3]:1"]);
    }
}
