//! A link of the engine into memory, and who is at the other end of it.

use anyhow::{Result, ensure};
use pseud::proto::zmtp::{Connection, ConnectionConfig, Event, Outgoing, Side, Token};
use pseud::{Config, Node};
use pseud_async::adapter::{CarrierConfig, Dial, Executor, Host, Origin, StreamLink, Writer};
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Instant;

/// What the engine has written.
#[derive(Default)]
pub(super) struct Written(Mutex<Vec<u8>>);

impl Writer for Written {
    fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut bytes = self.0.lock().expect("nobody panics");
        let before = bytes.len();
        slices.iter().for_each(|slice| bytes.extend_from_slice(slice));
        Ok(bytes.len() - before)
    }

    fn poll_write_ready(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Nothing here has to wait, so nothing is ever spawned.
#[derive(Debug)]
struct Nothing;

impl Executor for Nothing {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn spawn(&self, _: Pin<Box<dyn Future<Output = ()> + Send>>) {
        panic!("no handler waits here");
    }

    fn spawn_blocking(&self, _: Box<dyn FnOnce() + Send>) {
        panic!("no handler blocks here");
    }

    fn sleep(&self, _: Instant) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        panic!("nothing sleeps here");
    }
}

/// An engine.
pub(super) fn engine() -> Result<Node> {
    Ok(Node::new(Arc::new(Host::new(Arc::new(Config::default()), Nothing)?)))
}

/// One link of an engine.
pub(super) struct Wired {
    /// An engine ends when the last handle of it is dropped.
    _node: Node,
    link: Arc<StreamLink<Written>>,
    /// An endpoint is connected to for as long as its links are.
    _dial: Option<Dial>,
}

impl Wired {
    pub(super) fn new(node: &Node, side: Side, identity: &str) -> Result<Self> {
        let config = CarrierConfig::Zmtp(Arc::new(connection(identity)));
        let dial = (side == Side::Connecting).then(|| node.host().dial("memory"));
        let origin = match &dial {
            Some(dial) => Origin::Dialed { attempt: 0, dial },
            None => Origin::Accepted { late_guard: None },
        };
        let link =
            StreamLink::new(node.host(), config, origin, Written::default(), "memory".into())?;
        Ok(Self { _node: node.clone(), link, _dial: dial })
    }

    /// What it has to say, in place of what `bytes` held.
    pub(super) fn output(&self, bytes: &mut Vec<u8>) -> Result<()> {
        if self.link.take_flush() {
            self.link.flush()?;
        }
        bytes.clear();
        bytes.append(&mut self.link.writer().0.lock().expect("nobody panics"));
        Ok(())
    }

    pub(super) fn input(&self, bytes: &mut [u8]) -> Result<()> {
        if !bytes.is_empty() {
            let fed = self.link.handle_input(bytes);
            self.link.settle(fed)?;
        }
        Ok(())
    }

    pub(super) fn is_ready(&self) -> bool {
        self.link.is_ready()
    }
}

fn connection(identity: &str) -> ConnectionConfig {
    let mut config = ConnectionConfig::default();
    config.identity = identity.to_owned().into();
    config
}

/// The other end: ZMTP, and no more.
pub(super) struct Bare(Connection);

impl Bare {
    /// Behind its handshake with that link.
    pub(super) fn of(link: &Wired, side: Side, identity: &str) -> Result<Self> {
        let config = Arc::new(connection(identity));
        let mut this = Self(Connection::new(config, side, [7; 32], Instant::now()));
        let mut bytes = Vec::new();
        for _ in 0..8 {
            this.output(&mut bytes);
            link.input(&mut bytes)?;
            link.output(&mut bytes)?;
            this.input(&mut bytes, |_, _| ())?;
        }
        ensure!(this.0.is_ready() && link.is_ready(), "a handshake stands still");
        Ok(this)
    }

    pub(super) fn send(&mut self, id: &[u8], kind: u8, body: &'static [u8]) {
        let frames = [b"", b"v1".as_slice(), id, &[kind]];
        let message = Outgoing { frames: &frames, body: body.into(), ..Outgoing::default() };
        self.0.send(message, Token(0));
    }

    pub(super) fn output(&mut self, bytes: &mut Vec<u8>) {
        bytes.clear();
        loop {
            let mut slices = [IoSlice::new(&[]); 32];
            let (count, before) = (self.0.slices(&mut slices), bytes.len());
            slices[..count].iter().for_each(|slice| bytes.extend_from_slice(slice));
            if bytes.len() == before {
                return;
            }
            self.0.advance(bytes.len() - before);
        }
    }

    /// Hands over the id of each message.
    pub(super) fn input(
        &mut self,
        bytes: &mut [u8],
        mut each: impl FnMut(&mut Self, &[u8]),
    ) -> Result<()> {
        self.0.handle_input(bytes, Instant::now())?;
        while let Some(event) = self.0.poll_event() {
            if let Event::Message(parts) = event {
                each(self, parts.get(2).unwrap_or_default());
            }
        }
        Ok(())
    }
}

/// Two links behind their handshake.
pub(super) fn meet(client: &Wired, server: &Wired) -> Result<()> {
    let mut bytes = Vec::new();
    for _ in 0..8 {
        client.output(&mut bytes)?;
        server.input(&mut bytes)?;
        server.output(&mut bytes)?;
        client.input(&mut bytes)?;
    }
    ensure!(client.is_ready() && server.is_ready(), "a handshake stands still");
    Ok(())
}
