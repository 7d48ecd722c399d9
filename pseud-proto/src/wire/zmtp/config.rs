//! What a connection says about itself, and what it allows its peer.

pub(crate) mod mechanism;

use crate::auth::socket_type::SocketType;
use crate::base::budget::FloodLimit;
use crate::base::progress::ProgressLimit;
use crate::wire::zmtp::config::mechanism::MechanismConfig;
use bytes::Bytes;
use std::time::Duration;

/// How a connection introduces itself and what it allows. Shared by many connections in an `Arc`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ConnectionConfig {
    /// Our identity (ZMTP `Identity`), announced in READY. At most 255 bytes; where it is empty the
    /// property goes out with an empty value, as libzmq sends it.
    pub identity: Bytes,
    /// What socket we say we are. Default: ROUTER, as pseud's Server and Client both are.
    pub socket_type: SocketType,
    /// Which mechanism we speak, in which role, with which secrets. Default: NULL.
    pub mechanism: MechanismConfig,
    /// Send one empty message as soon as the peer is ready (`ZMQ_PROBE_ROUTER`): a listening ROUTER
    /// learns of us from it before we say anything. Never to a REQ, which closes on it. Default: false, as libzmq's.
    pub probe: bool,
    /// Refuse reserved frame flags and COMMAND with MORE, which ZMTP 3.1 forbids and libzmq lets
    /// pass. Default: false, they are only counted.
    pub strict: bool,
    /// More metadata for our READY. Names begin with `X-` and have at most 255 bytes; others are
    /// left out.
    pub properties: Vec<(String, Bytes)>,
    /// How long the whole handshake may take, the answer to [`Event::Ask`](crate::wire::zmtp::Event::Ask)
    /// included. Default: 10 s (libzmq: 30 s). As a CURVE server at most 60 s, the life of a cookie.
    pub handshake_timeout: Duration,
    /// How long the peer's greeting may take. Default: 3 s.
    pub greeting_timeout: Duration,
    /// How long a message that was begun may wait for its next byte. Default: 30 s.
    pub message_timeout: Duration,
    /// How slowly a message that was begun may go on, and how slowly the peer may read what waits for it:
    /// one that is slower ends its link ([`Misbehaved::Stalled`](crate::Misbehaved::Stalled),
    /// [`Reason::SlowPeer`](crate::Reason::SlowPeer)). Default: 512 bytes a second, over each 30 s.
    pub progress: ProgressLimit,
    /// PING and its time-outs.
    pub heartbeat: Heartbeat,
    /// Lengths, checked before their bytes are awaited.
    pub limits: FrameLimits,
}

impl Default for ConnectionConfig {
    fn default() -> Self {
        Self {
            identity: Bytes::new(),
            socket_type: SocketType::Router,
            mechanism: MechanismConfig::default(),
            probe: false,
            strict: false,
            properties: Vec::new(),
            handshake_timeout: Duration::from_secs(10),
            greeting_timeout: Duration::from_secs(3),
            message_timeout: Duration::from_secs(30),
            progress: ProgressLimit::default(),
            heartbeat: Heartbeat::default(),
            limits: FrameLimits::default(),
        }
    }
}

/// When a silent peer is asked for a sign of life, and when it is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Heartbeat {
    /// PING when nothing was heard for this long, ±10 % so that many links do not beat as one.
    /// `None`: no PING, and silence is no fault. At least 10 ms. Default: 5 s.
    ///
    /// Without PINGs, and towards ZMTP 3.0 peers, which know none, the transport is to find out that a
    /// peer is gone: see [`Connection::without_pings`](crate::wire::zmtp::Connection::without_pings).
    pub interval: Option<Duration>,
    /// Give up when nothing was heard for this long; at least two intervals. Also the `ttl` that
    /// our PING announces, there at most 65.5 s because libzmq misreads more. Default: 15 s.
    pub timeout: Duration,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self { interval: Some(Duration::from_secs(5)), timeout: Duration::from_secs(15) }
    }
}

/// What a peer's frames may weigh. Sizes are bytes of bodies as their headers announce them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FrameLimits {
    /// One frame of a message, as it is on the wire: under CURVE 33 bytes more than its part.
    /// Default: 8 MiB and 64 KiB (libzmq: none; gRPC: 4 MiB).
    pub frame_bytes_max: usize,
    /// All frames of one message; never over 4 GiB − 64 KiB. Default: 64 KiB more than a frame.
    pub message_bytes_max: usize,
    /// Frames of one message; never over [`Parts::MAX`](crate::message::parts::Parts::MAX). Default: 16.
    pub frames_max: usize,
    /// One command. Default: 4 KiB.
    pub command_bytes_max: usize,
    /// All frames of the handshake with their headers. Default: 16 KiB.
    pub handshake_bytes_max: usize,
    /// Metadata properties. Default: 32.
    pub properties_max: usize,
    /// Commands after the handshake: PINGs and what means nothing to us.
    pub flood: FloodLimit,
}

impl Default for FrameLimits {
    fn default() -> Self {
        const KIB: usize = 1024;
        Self {
            frame_bytes_max: (8 * 1024 + 64) * KIB,
            message_bytes_max: (8 * 1024 + 128) * KIB,
            frames_max: 16,
            command_bytes_max: 4 * KIB,
            handshake_bytes_max: 16 * KIB,
            properties_max: 32,
            flood: FloodLimit::default(),
        }
    }
}
