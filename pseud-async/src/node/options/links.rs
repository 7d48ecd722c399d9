//! What every link of a node announces and allows.

use super::Options;
use bytes::Bytes;
use pseud_proto::zmtp::{FrameLimits, Heartbeat, SocketType};
use std::time::Duration;

impl Options {
    /// Announces an identity of our own: the server can then call us by it. At most 255 bytes, the
    /// first not zero.
    #[doc(alias = "routing_id")]
    #[doc(alias = "user_id")]
    #[must_use]
    pub fn identity(mut self, identity: impl AsRef<[u8]>) -> Self {
        self.connection.identity = identity.as_ref().to_vec().into();
        self
    }

    /// Whether a connecting side sends an empty message as soon as the peer is ready
    /// (`ZMQ_PROBE_ROUTER`), as Python pseud 1.0 does: a bound libzmq can then call us before we
    /// have called. Default true. A server of pseud 0.0.5 on tornado reads nothing more after it:
    /// false is for those. A listening side never does.
    #[must_use]
    pub fn probe(mut self, probe: bool) -> Self {
        self.connection.probe = probe;
        self
    }

    /// PINGs, and after how much silence a peer is given up. Defaults 5 s and 15 s.
    #[must_use]
    pub fn heartbeat(mut self, heartbeat: Heartbeat) -> Self {
        self.connection.heartbeat = heartbeat;
        self
    }

    /// How long a whole handshake may take, authentication included. Default 10 s.
    #[must_use]
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.connection.handshake_timeout = timeout;
        self
    }

    /// How long a peer's greeting may take, its first bytes. Default 3 s.
    #[must_use]
    pub fn greeting_timeout(mut self, timeout: Duration) -> Self {
        self.connection.greeting_timeout = timeout;
        self
    }

    /// How long a message that was begun may wait for its next byte. Default 30 s.
    #[must_use]
    pub fn message_timeout(mut self, timeout: Duration) -> Self {
        self.connection.message_timeout = timeout;
        self
    }

    /// How slowly a message that was begun may go on, and how slowly peers may read: see
    /// [`ConnectionConfig::progress`](pseud_proto::zmtp::ConnectionConfig::progress).
    #[must_use]
    pub fn progress(mut self, limit: pseud_proto::ProgressLimit) -> Self {
        self.connection.progress = limit;
        self
    }

    /// Refuses what ZMTP 3.1 forbids (RFC 37: reserved flags, a command with MORE) and libzmq lets pass.
    /// Default false: it is counted.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.connection.strict = strict;
        self
    }

    /// One more property that we announce in READY or INITIATE: its name begins with `X-` and has at most
    /// 255 bytes; others are left out.
    #[must_use]
    pub fn property(mut self, name: impl Into<String>, value: impl AsRef<[u8]>) -> Self {
        let value = Bytes::copy_from_slice(value.as_ref());
        self.connection.properties.push((name.into(), value));
        self
    }

    /// Lengths of frames, messages, commands and handshakes, checked before their bytes are awaited.
    #[must_use]
    pub fn frame_limits(mut self, limits: FrameLimits) -> Self {
        self.connection.limits = limits;
        self
    }

    /// What our side announces as its ZeroMQ socket. Default ROUTER, which calls and is called.
    /// [`SocketType::Req`] only calls, as Python's `SyncClient`: its peers neither probe nor call it, and
    /// answer it however late; it sends no probe either.
    #[must_use]
    #[doc(alias = "SyncClient")]
    pub fn socket_type(mut self, socket_type: SocketType) -> Self {
        self.connection.socket_type = socket_type;
        self.connection.probe &= socket_type != SocketType::Req;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_link_announces_and_allows_is_set() {
        let second = Duration::from_secs(1);
        let options = Options::server("service")
            .strict(true)
            .greeting_timeout(second)
            .message_timeout(2 * second)
            .handshake_timeout(3 * second)
            .property("X-Room", "7");
        let connection = options.connection;
        assert!(connection.strict && connection.probe);
        assert_eq!(connection.greeting_timeout, second);
        assert_eq!(connection.message_timeout, 2 * second);
        assert_eq!(connection.handshake_timeout, 3 * second);
        assert_eq!(connection.properties, [("X-Room".to_owned(), Bytes::from("7"))]);
        let req = Options::client("service").socket_type(SocketType::Req);
        assert!(!req.connection.probe, "a REQ sends no probe");
    }
}
