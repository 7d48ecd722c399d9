//! A peer of bare bytes over a blocking socket.

use pseud::proto::Packed;
use std::io::{self, Read, Write};
use std::net::TcpStream;

pub(crate) struct Raw {
    pub(crate) stream: TcpStream,
}

/// ZMTP 3's greeting, of that minor version.
pub(crate) fn greeting(mechanism: &str, minor: u8) -> Vec<u8> {
    let mut greeting = vec![0; 64];
    greeting[..12].copy_from_slice(&[0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, minor]);
    greeting[12..12 + mechanism.len()].copy_from_slice(mechanism.as_bytes());
    greeting
}

pub(crate) fn command(body: &[u8]) -> Vec<u8> {
    [&[4, body.len() as u8], body].concat()
}

/// The READY of a DEALER without a name.
pub(crate) fn ready() -> Vec<u8> {
    command(b"\x05READY\x0bSocket-Type\0\0\0\x06DEALER")
}

pub(crate) fn message(frames: &[&[u8]]) -> Vec<u8> {
    let last = frames.len() - 1;
    let frame = |(index, body): (usize, &&[u8])| {
        [&[u8::from(index < last), body.len() as u8], *body].concat()
    };
    frames.iter().enumerate().flat_map(frame).collect()
}

/// The body of a call without arguments.
pub(crate) fn work(name: &str) -> Vec<u8> {
    let arguments = Packed::call(&(), &()).unwrap();
    let name = [&[0xa0 | name.len() as u8], name.as_bytes()].concat();
    [&[0x93], &name[..], arguments.as_bytes()].concat()
}

impl Raw {
    /// A connection that has said nothing.
    pub(crate) fn dial(endpoint: &str) -> Self {
        let stream = TcpStream::connect(endpoint.trim_start_matches("tcp://")).unwrap();
        stream.set_read_timeout(Some(crate::SOON)).unwrap();
        stream.set_write_timeout(Some(crate::SOON)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream }
    }

    /// A peer under NULL whose handshake is over.
    pub(crate) fn connect(endpoint: &str, minor: u8) -> Self {
        let mut raw = Self::dial(endpoint);
        raw.stream.write_all(&greeting("NULL", minor)).unwrap();
        raw.stream.write_all(&ready()).unwrap();
        raw.hear_ready();
        raw
    }

    /// Reads the other side's greeting and READY.
    pub(crate) fn hear_ready(&mut self) {
        self.take(64);
        assert!(self.frame().1.starts_with(b"\x05READY"));
    }

    /// That many bytes.
    pub(crate) fn take(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// The next frame: its flags and its body.
    pub(crate) fn frame(&mut self) -> (u8, Vec<u8>) {
        let flags = self.take(1)[0];
        let len = match flags & 2 {
            0 => u64::from(self.take(1)[0]),
            _ => u64::from_be_bytes(self.take(8).try_into().unwrap()),
        };
        (flags, self.take(len as usize))
    }

    /// The next message.
    pub(crate) fn message(&mut self) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        loop {
            let (flags, body) = self.frame();
            if flags & 4 == 0 {
                frames.push(body);
                if flags & 1 == 0 {
                    return frames;
                }
            }
        }
    }

    pub(crate) fn call(&mut self, name: &str) {
        let call = message(&[b"", b"v1", &[7; 16], b"\x03", &work(name)]);
        self.stream.write_all(&call).unwrap();
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.take(1)[0]
    }

    /// All that comes until the end, unless that is a reset.
    pub(crate) fn rest(&mut self) -> io::Result<Vec<u8>> {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest)?;
        Ok(rest)
    }
}
