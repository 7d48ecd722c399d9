//! How a conversation begins.

use super::clock::Clock;
use super::end::End;
use super::node::{Node, Port, shows};
use super::pipe::Pipe;
use super::stranger::Stranger;
use super::talker::Talker;
use super::wire::Wire;
use bytes::Bytes;
use pseud_proto::Capabilities;
use pseud_proto::Config;
use pseud_proto::pseud::Channel;
use pseud_proto::zmtp::{Connection, ConnectionConfig, MechanismConfig, Side};
use std::sync::Arc;
use std::time::Duration;

/// The sizes of the pieces in which every conversation is held.
pub const CHUNKS: [usize; 6] = [1, 2, 3, 7, 64, usize::MAX];

/// Two channels and the wire between them.
pub type Pair = Wire<Talker, Talker>;

/// What the two sides of a pair are told at birth. The server is `server`, the client gets a name
/// from it; nobody PINGs, so that a clock may be moved through silence. Both pass for v1 peers: what
/// more they may do is for those who ask for it by [`declared`](Setup::declared).
#[derive(Debug, Clone)]
pub struct Setup {
    pub client: Config,
    pub server: Config,
    pub client_link: ConnectionConfig,
    pub server_link: ConnectionConfig,
    pub latency: Duration,
    pub chunk: usize,
}

impl Default for Setup {
    fn default() -> Self {
        let mut client = v1();
        client.server = Some(Bytes::from_static(b"server"));
        let mut server_link = quiet();
        server_link.identity = Bytes::from_static(b"server");
        Self {
            client,
            server: v1(),
            client_link: quiet(),
            server_link,
            latency: Duration::ZERO,
            chunk: usize::MAX,
        }
    }
}

/// A peer that declares nothing.
pub fn v1() -> Config {
    let mut config = Config::default();
    config.capabilities = Capabilities::NONE;
    config
}

/// A link without PINGs.
pub fn quiet() -> ConnectionConfig {
    let mut config = ConnectionConfig::default();
    config.heartbeat.interval = None;
    config
}

impl Setup {
    /// Both declare all that there is.
    pub fn declared(self) -> Self {
        self.with(|setup| {
            setup.client.capabilities = Capabilities::ALL;
            setup.server.capabilities = Capabilities::ALL;
        })
    }

    /// At most so many bytes at once.
    pub fn chunk(mut self, chunk: usize) -> Self {
        self.chunk = chunk;
        self
    }

    /// So long a way, in each direction.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Servers that speak PLAIN, and clients that show them their names: see [`Node::users`].
    pub fn known(self) -> Self {
        self.with(|setup| setup.server_link.mechanism = MechanismConfig::PlainServer)
    }

    /// Something else.
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// A pair whose handshake is over.
    pub fn open(self) -> Pair {
        let mut pair = self.fresh();
        pair.advance(pair.up.latency * 4);
        assert!(pair.client.is_connected() && pair.server.is_connected());
        pair
    }

    /// A pair that has not said a word.
    pub fn fresh(self) -> Pair {
        let clock = Clock::new();
        let client = Talker::new(self.client_channel(&clock), clock.clone());
        let link = Arc::new(self.server_link.clone());
        let config = Arc::new(self.server.clone());
        let server = Channel::new(config, link, Side::Accepting, [2; 32], clock.now());
        self.wire(client, Talker::new(server, clock.clone()), clock)
    }

    /// A client whose server is a stranger; their handshake is over.
    pub fn with_stranger(self) -> Wire<Talker, Stranger> {
        let clock = Clock::new();
        let client = Talker::new(self.client_channel(&clock), clock.clone());
        let link = Arc::new(self.server_link.clone());
        let connection = Connection::new(link, Side::Accepting, [2; 32], clock.now());
        let server = Stranger::new(connection, clock.clone());
        let mut wire = self.wire(client, server, clock);
        wire.settle();
        wire
    }

    /// Another client of that node, under that name; their handshake is over.
    pub fn join(self, server: &Port, name: &'static str) -> Wire<Talker, Port> {
        let clock = server.node.borrow().clock();
        let setup = self.with(|setup| {
            setup.client_link.identity = Bytes::from_static(name.as_bytes());
            if matches!(setup.server_link.mechanism, MechanismConfig::PlainServer) {
                setup.client_link.mechanism = shows(name.as_bytes());
            }
        });
        let client = Talker::new(setup.client_channel(&clock), clock.clone());
        let mut wire = setup.wire(client, server.clone(), clock);
        wire.settle();
        wire
    }

    /// A server for many.
    pub fn node(&self, clock: &Clock) -> std::rc::Rc<std::cell::RefCell<Node>> {
        Node::new(self.server.clone(), self.server_link.clone(), 9, clock)
    }

    pub fn wire<A: End, B: End>(&self, client: A, server: B, clock: Clock) -> Wire<A, B> {
        let (up, down) = (Pipe::new(self.latency), Pipe::new(self.latency));
        Wire { clock, client, server, up, down, chunk: self.chunk }
    }

    fn client_channel(&self, clock: &Clock) -> Channel {
        let (config, link) = (self.client.clone().into(), self.client_link.clone().into());
        Channel::new(config, link, Side::Connecting, [1; 32], clock.now())
    }
}
