//! An attacker's link, with the bytes of the testkit, and a count of what all of them have sent.

use pseud_testkit::raw;
use socket2::{Domain, Socket, Type};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What all attackers have sent, in bytes.
static SENT: AtomicU64 = AtomicU64::new(0);

pub(crate) fn sent() -> u64 {
    SENT.load(Ordering::Relaxed)
}

/// Greeting and READY of a DEALER, declaring that in `X-Pseud`.
fn handshake(declares: &str) -> Vec<u8> {
    [raw::greeting(), raw::ready_declaring("DEALER", "", declares)].concat()
}

/// So many calls, each with an id of its own: a session serves each id once.
pub(crate) fn works(name: &str, count: usize) -> Vec<u8> {
    (0..count).flat_map(|_| raw::work(&raw::fresh_id(), name)).collect()
}

/// A link of an attacker's.
#[derive(Debug)]
pub(crate) struct Link(TcpStream);

impl Link {
    /// Connected, and nothing said.
    ///
    /// # Errors
    /// The socket's: also that the node lets nobody in.
    pub(crate) fn bare(address: &str) -> io::Result<Self> {
        let address = address.to_socket_addrs()?.next().ok_or(io::ErrorKind::NotFound)?;
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        stream.set_write_timeout(Some(Duration::from_millis(50)))?;
        stream.set_read_timeout(Some(Duration::from_millis(50)))?;
        Ok(Self(stream))
    }

    /// The same from that address of this machine's.
    ///
    /// # Errors
    /// The socket's.
    pub(crate) fn from(source: Ipv4Addr, address: &str) -> io::Result<Self> {
        let address: SocketAddr = address.parse().map_err(io::Error::other)?;
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::from((source, 0)).into())?;
        socket.connect_timeout(&address.into(), Duration::from_secs(5))?;
        Ok(Self(socket.into()))
    }

    /// A session, declaring that.
    ///
    /// # Errors
    /// The socket's.
    pub(crate) fn session(address: &str, declares: &str) -> io::Result<Self> {
        let mut link = Self::bare(address)?;
        link.send(&handshake(declares))?;
        // Its greeting and READY: messages before them would end the link.
        let mut head = [0; 66];
        link.0.set_read_timeout(Some(Duration::from_secs(5)))?;
        link.0.read_exact(&mut head)?;
        link.0.read_exact(&mut vec![0; usize::from(head[65])])?;
        link.0.set_read_timeout(Some(Duration::from_millis(50)))?;
        Ok(link)
    }

    /// # Errors
    /// The socket's; after 50 ms in which it takes nothing, too.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let written = self.0.write(rest)?;
            SENT.fetch_add(written as u64, Ordering::Relaxed);
            rest = &rest[written..];
        }
        Ok(())
    }

    /// Reads what is there and forgets it; how much that was.
    ///
    /// # Errors
    /// The node has closed the link.
    pub(crate) fn skim(&mut self) -> io::Result<usize> {
        match self.0.read(&mut [0; 1 << 16]) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => Ok(count),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            Err(error) => Err(error),
        }
    }
}
