//! Thousands of ZMTP peers that say who they are, answer PINGs, and nothing else.

use anyhow::{Context, Result, ensure};
use pseud::KeyPair;
use pseud::proto::zmtp::{Connection, ConnectionConfig, MechanismConfig, Side};
use std::io::IoSlice;
use std::sync::Arc;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Handshakes at the same time: a server has bounds.
const AT_ONCE: usize = 64;

/// Plays so many peers, until stdin ends.
pub(crate) async fn play(server: &str, peers: usize, curve: bool) -> Result<()> {
    let address = server.trim_start_matches("tcp://").to_owned();
    let (places, leaves) = (Arc::new(Semaphore::new(AT_ONCE)), watch::Sender::new(false));
    let mut all = JoinSet::new();
    for number in 0..peers {
        let place = places.clone().acquire_owned().await?;
        let mut peer = match curve {
            false => Peer::Raw(RawPeer::connect(&address, number).await?),
            true => Peer::Curve(CurvePeer::connect(&address, number).await?),
        };
        let mut left = leaves.subscribe();
        all.spawn(async move {
            peer.shake_hands().await?;
            drop(place);
            tokio::select! {
                lived = peer.live() => lived,
                _ = left.changed() => Ok(()),
            }
        });
    }
    let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
    ended.await??;
    leaves.send_replace(true);
    all.join_all().await.into_iter().collect()
}

/// The keys of the server.
pub(crate) fn server_pair() -> KeyPair {
    KeyPair::generate([7; 32])
}

enum Peer {
    Raw(RawPeer),
    Curve(CurvePeer),
}

impl Peer {
    async fn shake_hands(&mut self) -> Result<()> {
        match self {
            Self::Raw(peer) => peer.shake_hands().await,
            Self::Curve(peer) => peer.shake_hands().await,
        }
    }

    async fn live(&mut self) -> Result<()> {
        match self {
            Self::Raw(peer) => peer.live().await,
            Self::Curve(peer) => peer.live().await,
        }
    }
}

/// The same under CURVE, by the core's own connection, which answers PINGs.
struct CurvePeer {
    stream: TcpStream,
    connection: Box<Connection>,
}

impl CurvePeer {
    async fn connect(address: &str, number: usize) -> Result<Self> {
        let stream = TcpStream::connect(address).await.context("connect")?;
        stream.set_nodelay(true)?;
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&number.to_be_bytes());
        let (server_keys, key_pair) = (vec![*server_pair().public()], KeyPair::generate(seed));
        let mut config = ConnectionConfig::default();
        config.mechanism = MechanismConfig::CurveClient { server_keys, key_pair };
        config.identity = format!("peer {number}").into();
        config.heartbeat.interval = None;
        let now = Instant::now();
        let connection = Connection::new(Arc::new(config), Side::Connecting, seed, now);
        Ok(Self { stream, connection: Box::new(connection) })
    }

    async fn shake_hands(&mut self) -> Result<()> {
        while !self.connection.is_ready() {
            self.turn().await?;
        }
        self.write().await
    }

    async fn live(&mut self) -> Result<()> {
        loop {
            self.turn().await?;
        }
    }

    async fn turn(&mut self) -> Result<()> {
        self.write().await?;
        let mut input = [0; 512];
        let count = self.stream.read(&mut input).await?;
        ensure!(count > 0, "the server has closed the link");
        self.connection.handle_input(&mut input[..count], Instant::now())?;
        while self.connection.poll_event().is_some() {}
        Ok(())
    }

    async fn write(&mut self) -> Result<()> {
        while self.connection.backlog() > 0 {
            let mut slices = [IoSlice::new(&[]); 4];
            let count = self.connection.slices(&mut slices);
            let written = self.stream.write_vectored(&slices[..count]).await?;
            self.connection.advance(written);
        }
        Ok(())
    }
}

struct RawPeer(TcpStream);

impl RawPeer {
    /// A DEALER of that number, NULL, ZMTP 3.1 (RFC 37).
    async fn connect(address: &str, number: usize) -> Result<Self> {
        let mut stream = TcpStream::connect(address).await.context("connect")?;
        stream.set_nodelay(true)?;
        let mut greeting = [0; 64];
        (greeting[0], greeting[9], greeting[10], greeting[11]) = (0xff, 0x7f, 3, 1);
        greeting[12..16].copy_from_slice(b"NULL");
        let identity = format!("peer {number}");
        let mut ready = b"\x05READY\x0bSocket-Type\0\0\0\x06DEALER\x08Identity\0\0\0".to_vec();
        ready.push(identity.len() as u8);
        ready.extend_from_slice(identity.as_bytes());
        let frame = [&[4, ready.len() as u8][..], &ready].concat();
        stream.write_all(&[&greeting[..], &frame].concat()).await?;
        Ok(Self(stream))
    }

    async fn shake_hands(&mut self) -> Result<()> {
        self.0.read_exact(&mut [0; 64]).await?;
        ensure!(self.frame().await?.starts_with(b"\x05READY"), "no READY");
        Ok(())
    }

    /// Until the server closes the link, which it is not to.
    async fn live(&mut self) -> Result<()> {
        loop {
            let frame = self.frame().await?;
            if let Some(rest) = frame.strip_prefix(b"\x04PING") {
                let context = rest.get(2..).unwrap_or_default();
                let pong = [b"\x04PONG", context].concat();
                self.0.write_all(&[&[4, pong.len() as u8][..], &pong].concat()).await?;
            }
        }
    }

    /// The next frame, all of which are short here.
    async fn frame(&mut self) -> Result<Vec<u8>> {
        let mut head = [0; 2];
        self.0.read_exact(&mut head).await?;
        ensure!(head[0] & 2 == 0, "a long frame");
        let mut body = vec![0; usize::from(head[1])];
        self.0.read_exact(&mut body).await?;
        Ok(body)
    }
}
