//! A peer of bare bytes over a connection: it says what a test puts into its mouth.

use super::any_stream::AnyStream;
use super::bytes;
use super::{COMMAND, LONG, MORE};
use crate::conversation::timeout;
use crate::patience::PATIENCE;
use pseud_async::adapter::Runtime;
use std::io::ErrorKind;
use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

/// A frame as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawFrame {
    pub flags: u8,
    pub body: Vec<u8>,
}

/// A message of pseud's as it came: id, kind, body.
pub type Answer = (Vec<u8>, u8, Vec<u8>);

pub struct RawPeer<S = TcpStream> {
    pub stream: S,
}

impl RawPeer {
    pub async fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap())
    }

    pub fn over(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        Self { stream }
    }

    /// Connects to an endpoint of TCP, and says nothing.
    pub async fn dial(endpoint: &str) -> Self {
        Self::over(TcpStream::connect(endpoint.trim_start_matches("tcp://")).await.unwrap())
    }

    /// A DEALER of that minor version under NULL, whose handshake is over.
    pub async fn open(endpoint: &str, minor: u8) -> Self {
        Self::dial(endpoint).await.opened(minor).await
    }

    /// Breaks the connection: the other side gets an RST.
    pub fn reset(self) {
        self.stream.set_zero_linger().unwrap();
    }
}

impl<R: Runtime> RawPeer<AnyStream<R>> {
    /// Connects to an endpoint of TCP on that runtime, and says nothing.
    pub async fn dial_on(endpoint: &str) -> Self {
        Self { stream: AnyStream::dial(endpoint).await }
    }

    /// A DEALER of that minor version under NULL, whose handshake is over.
    pub async fn open_on(endpoint: &str, minor: u8) -> Self {
        Self::dial_on(endpoint).await.opened(minor).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> RawPeer<S> {
    async fn opened(mut self, minor: u8) -> Self {
        self.shake_hands(&bytes::greeting_with(11, &[minor]), &bytes::ready("DEALER", "")).await;
        self
    }

    /// Sends our greeting and READY, then reads the other side's.
    pub async fn shake_hands(&mut self, greeting: &[u8], ready: &[u8]) {
        self.send(greeting).await;
        self.send(ready).await;
        self.hear_ready().await;
    }

    /// Reads the other side's greeting and READY.
    pub async fn hear_ready(&mut self) {
        self.greeting().await;
        assert!(self.frame().await.body.starts_with(b"\x05READY"));
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        timeout(PATIENCE, self.stream.write_all(bytes)).await.unwrap().unwrap();
    }

    /// Sends what the other side may well refuse to take; says whether it took all.
    pub async fn try_send(&mut self, bytes: &[u8]) -> bool {
        timeout(PATIENCE, self.stream.write_all(bytes)).await.unwrap().is_ok()
    }

    pub async fn greeting(&mut self) -> [u8; 64] {
        self.take().await
    }

    pub async fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        timeout(PATIENCE, self.stream.read_exact(&mut bytes)).await.unwrap().unwrap();
        bytes
    }

    /// The next frame that is not a PING.
    pub async fn frame(&mut self) -> RawFrame {
        loop {
            let frame = self.any_frame().await;
            if frame.flags & COMMAND == 0 || !frame.body.starts_with(b"\x04PING") {
                return frame;
            }
        }
    }

    /// The next frame.
    pub async fn any_frame(&mut self) -> RawFrame {
        let [flags] = self.take().await;
        let len = match flags & LONG {
            0 => usize::from(self.take::<1>().await[0]),
            _ => u64::from_be_bytes(self.take().await) as usize,
        };
        let mut body = vec![0; len];
        timeout(PATIENCE, self.stream.read_exact(&mut body)).await.unwrap().unwrap();
        RawFrame { flags, body }
    }

    pub async fn message(&mut self) -> Vec<Vec<u8>> {
        let mut parts = Vec::new();
        loop {
            let frame = self.frame().await;
            assert_eq!(frame.flags & COMMAND, 0, "a message was expected: {frame:?}");
            parts.push(frame.body);
            if frame.flags & MORE == 0 {
                return parts;
            }
        }
    }

    pub async fn answer(&mut self) -> Answer {
        let parts: [Vec<u8>; 5] = self.message().await.try_into().unwrap();
        let [delimiter, version, id, kind, body] = parts;
        assert_eq!((&delimiter[..], &version[..], kind.len()), (&b""[..], &b"v1"[..], 1));
        (id, kind[0], body)
    }

    /// Calls the spy: the connection is open and in step, and all that was sent before is dealt with.
    pub async fn spy(&mut self) {
        let id = bytes::fresh_id();
        self.send(&bytes::work(&id, "spy")).await;
        assert_eq!(self.answer().await, (id, bytes::OK, vec![7]));
    }

    /// Calls that, and does not wait.
    pub async fn call(&mut self, name: &str) {
        self.send(&bytes::work(&bytes::fresh_id(), name)).await;
    }

    /// Waits until the other side has closed; returns what it still said.
    pub async fn closed(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let mut buffer = vec![0; 64 << 10];
        loop {
            match timeout(PATIENCE, self.stream.read(&mut buffer)).await.expect("kept open") {
                Ok(0) => return rest,
                Ok(len) => rest.extend_from_slice(&buffer[..len]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return rest,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Sends no more, and waits until the other side has closed as well.
    pub async fn finish(&mut self) -> Vec<u8> {
        // It may be closed already.
        let _ = self.stream.shutdown().await;
        self.closed().await
    }
}
