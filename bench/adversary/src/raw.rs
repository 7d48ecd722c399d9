//! Bytes as an attacker writes them: ZMTP 3.1 under NULL (RFC 37) and pseud's five frames.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub(crate) const OK: u8 = 0x01;
pub(crate) const WORK: u8 = 0x03;
const MORE: u8 = 1;
const LONG: u8 = 2;
const COMMAND: u8 = 4;

/// What all attackers have sent, in bytes.
static SENT: AtomicU64 = AtomicU64::new(0);

pub(crate) fn sent() -> u64 {
    SENT.load(Ordering::Relaxed)
}

fn frame(flags: u8, body: &[u8]) -> Vec<u8> {
    match u8::try_from(body.len()) {
        Ok(len) => [&[flags, len], body].concat(),
        Err(_) => [&[flags | LONG][..], &(body.len() as u64).to_be_bytes(), body].concat(),
    }
}

/// The head of a frame of that size, whose body comes later or never.
pub(crate) fn head(size: u64) -> Vec<u8> {
    [&[LONG][..], &size.to_be_bytes()].concat()
}

fn property(name: &str, value: &[u8]) -> Vec<u8> {
    let len = (value.len() as u32).to_be_bytes();
    [&[name.len() as u8], name.as_bytes(), &len, value].concat()
}

/// Greeting and READY of a DEALER, declaring that in `X-Pseud` (nothing where it is empty).
fn handshake(declares: &str) -> Vec<u8> {
    let mut bytes = b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01NULL".to_vec();
    bytes.resize(64, 0);
    let mut data = [b"\x05READY".to_vec(), property("Socket-Type", b"DEALER")].concat();
    if !declares.is_empty() {
        data.extend(property("X-Pseud", declares.as_bytes()));
    }
    bytes.extend(frame(COMMAND, &data));
    bytes
}

/// A message of pseud's with an id that no other has.
pub(crate) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let id = format!("{:016}", NEXT.fetch_add(1, Ordering::Relaxed));
    let frames = [b"".as_slice(), b"v1", id.as_bytes(), &[kind]];
    let mut bytes: Vec<u8> = frames.iter().flat_map(|part| frame(MORE, part)).collect();
    bytes.extend(frame(0, body));
    bytes
}

/// A call without arguments.
pub(crate) fn work(name: &str) -> Vec<u8> {
    message(WORK, &[&[0x93, 0xa0 | name.len() as u8], name.as_bytes(), &[0x90, 0x80]].concat())
}

/// So many of them.
pub(crate) fn works(name: &str, count: usize) -> Vec<u8> {
    (0..count).flat_map(|_| work(name)).collect()
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
