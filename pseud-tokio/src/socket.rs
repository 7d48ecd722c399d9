//! Sockets: TCP and Unix streams, in halves, and what listens for them.

use pseud_async::Writer;
use pseud_proto::address::Address;
use std::io::{self, IoSlice};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::{TcpStream, lookup_host, tcp};

#[cfg(unix)]
use tokio::net::{UnixStream, unix};

/// A fresh connection.
pub(crate) enum Stream {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

/// The reading half of a link's socket.
pub(crate) enum ReadHalf {
    Tcp(tcp::OwnedReadHalf),
    #[cfg(unix)]
    Unix(unix::OwnedReadHalf),
}

/// The writing half of a link's socket.
pub(crate) enum WriteHalf {
    Tcp(tcp::OwnedWriteHalf),
    #[cfg(unix)]
    Unix(unix::OwnedWriteHalf),
}

impl Stream {
    pub(crate) async fn connect(address: &Address) -> io::Result<Self> {
        match address {
            Address::Tcp { host, port } => {
                let stream = TcpStream::connect(&*resolve(host, *port).await?).await?;
                // A port that is free for us to listen on is also free to connect from.
                if stream.local_addr()? == stream.peer_addr()? {
                    return Err(io::Error::other("it connected to itself: nobody listens there"));
                }
                Ok(Self::Tcp(stream))
            }
            #[cfg(unix)]
            Address::Ipc { path } => Ok(Self::Unix(UnixStream::connect(path).await?)),
            #[cfg(target_os = "linux")]
            Address::IpcAbstract { name } => {
                Ok(Self::Unix(UnixStream::connect(format!("\0{name}")).await?))
            }
            _ => Err(unsupported()),
        }
    }

    /// Where the other side is.
    pub(crate) fn address(&self) -> io::Result<String> {
        match self {
            Self::Tcp(stream) => Ok(stream.peer_addr()?.to_string()),
            #[cfg(unix)]
            Self::Unix(_) => Ok("ipc".to_owned()),
        }
    }

    /// Splits it. Small messages are not held back: what belongs together is written together.
    pub(crate) fn split(self) -> io::Result<(ReadHalf, WriteHalf)> {
        match self {
            Self::Tcp(stream) => {
                stream.set_nodelay(true)?;
                let (reader, writer) = stream.into_split();
                Ok((ReadHalf::Tcp(reader), WriteHalf::Tcp(writer)))
            }
            #[cfg(unix)]
            Self::Unix(stream) => {
                let (reader, writer) = stream.into_split();
                Ok((ReadHalf::Unix(reader), WriteHalf::Unix(writer)))
            }
        }
    }
}

/// The addresses of a host, in the order in which they are to be tried.
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

pub(crate) fn unsupported() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "this system has no such sockets")
}

impl AsyncRead for ReadHalf {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(half) => Pin::new(half).poll_read(cx, buffer),
            #[cfg(unix)]
            Self::Unix(half) => Pin::new(half).poll_read(cx, buffer),
        }
    }
}

impl Writer for WriteHalf {
    fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match (self, slices) {
            (Self::Tcp(half), [slice]) => half.try_write(slice),
            (Self::Tcp(half), slices) => half.try_write_vectored(slices),
            #[cfg(unix)]
            (Self::Unix(half), slices) => half.try_write_vectored(slices),
        }
    }
}

impl WriteHalf {
    pub(crate) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(half) => half.as_ref().poll_write_ready(cx),
            #[cfg(unix)]
            Self::Unix(half) => half.as_ref().poll_write_ready(cx),
        }
    }
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
}
