//! How a server or a client of kaa.rpc is set up.

use crate::link::CarrierConfig;
use crate::node;
use crate::serve::on_disconnect::OnDisconnect;
use crate::serve::registry::Registry;
use pseud_proto::User;
use pseud_proto::backoff::Retry;
use pseud_proto::kaa::{Config, SERVER};
use std::sync::Arc;
use std::time::Duration;

/// Settings of a kaa.rpc [`Server`](super::Server) or [`Client`](super::Client).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// The secret, time-outs and limits of its links.
    pub config: Config,
    /// How a client tries again: after a refusal for its secret too, which may be the server's that
    /// changes. Default: as other clients of this library do (the reference does not).
    pub retry: Retry,
    /// How long an address may take to accept a connection. Default 3 s.
    pub connect_timeout: Duration,
    /// Permissions of the file of a bound Unix socket, such as `0o600`. `None`: what the process's umask
    /// leaves.
    pub socket_mode: Option<u32>,
    /// Bytes of the buffers of its sockets, each way: the reference's `buffer_size`. `None`, the
    /// default: the system's.
    pub buffer_size: Option<usize>,
    /// Whether its links may cross a network: all they say is in clear, and who is on the path can
    /// change it. Without this it binds and connects to loopback addresses and Unix sockets only.
    /// Default: false.
    pub allow_plaintext: bool,
    /// What is served besides the process-wide registry. `None`: a registry of its own, which goes with
    /// it.
    pub registry: Option<Registry>,
    /// What becomes of async handlers that wait while their caller leaves. Default: they are dropped.
    pub on_disconnect: OnDisconnect,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            config: Config::default(),
            retry: Retry::default(),
            connect_timeout: Duration::from_secs(3),
            socket_mode: None,
            buffer_size: None,
            allow_plaintext: false,
            registry: None,
            on_disconnect: OnDisconnect::default(),
        }
    }
}

node::common!(Options);

impl Options {
    /// The defaults, with that secret: of any length, and empty for none.
    pub fn new(secret: impl Into<Vec<u8>>) -> Self {
        Self { config: Config::new(secret), ..Self::default() }
    }

    /// Tries again after that long each time: the reference's `retry`.
    #[must_use]
    pub fn retry(mut self, every: Duration) -> Self {
        (self.retry.first, self.retry.max) = (every, every);
        self
    }

    /// Bytes of the buffers of its sockets: see [`buffer_size`](Self::buffer_size).
    #[must_use]
    pub fn buffer_size(mut self, bytes: usize) -> Self {
        self.buffer_size = Some(bytes);
        self
    }

    /// How long the handshake may take. Default: see [`Config::handshake_timeout`].
    #[must_use]
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.config.handshake_timeout = timeout;
        self
    }

    /// How slowly a message that was begun may go on, and how slowly peers may read: see
    /// [`Config::progress`](Config::progress).
    #[must_use]
    pub fn progress(mut self, limit: pseud_proto::ProgressLimit) -> Self {
        self.config.progress = limit;
        self
    }

    /// How long a packet that was begun may wait for its next byte. Default: see
    /// [`Config::packet_timeout`].
    #[must_use]
    pub fn packet_timeout(mut self, timeout: Duration) -> Self {
        self.config.packet_timeout = timeout;
        self
    }

    /// Bytes of a packet of ours: see [`Config::packet_bytes_max`]. What the peer sends is bounded by
    /// [`Limits::body_bytes_max`](pseud_proto::Limits::body_bytes_max).
    #[must_use]
    pub fn packet_bytes_max(mut self, max: usize) -> Self {
        self.config.packet_bytes_max = max;
        self
    }

    /// Who a peer is that has shown the secret: see [`Config::user`].
    #[must_use]
    pub fn user(mut self, user: User) -> Self {
        self.config.user = user;
        self
    }

    /// Permissions of the file of a bound Unix socket: see [`socket_mode`](Self#structfield.socket_mode).
    #[must_use]
    pub fn socket_mode(mut self, mode: u32) -> Self {
        self.socket_mode = Some(mode);
        self
    }

    /// As a node's. Bounds of what is open are of the node; those of a packet are of its link.
    pub(super) fn into_node(self, is_client: bool) -> node::Options {
        let mut options = node::Options::default();
        if is_client {
            options.config.server = Some(SERVER.into());
        }
        options.config.call_timeout = self.config.call_timeout;
        options.config.when_full = self.config.when_full;
        options.config.expose_traceback = self.config.expose_traceback;
        options.config.limits = self.config.limits.clone();
        options.connect_timeout = self.connect_timeout;
        options.retry = self.retry;
        options.ipc_mode = self.socket_mode;
        options.allow_plaintext = self.allow_plaintext;
        options.registry = self.registry;
        options.on_disconnect = self.on_disconnect;
        let (config, buffer_size) = (Arc::new(self.config), self.buffer_size);
        options.kaa = Some(CarrierConfig::Kaa { config, buffer_size });
        options
    }
}
