//! A link of ours over a plain blocking socket, and what a ZeroMQ socket needs to talk to it.

use std::io::{ErrorKind, IoSlice, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pseud::proto::PeerError;
use pseud::proto::zmtp::{
    Connection, ConnectionConfig, ConnectionStats, Event, KeyPair, MechanismConfig, Outgoing,
    Question, Ready, Secret, Side, Token, Verdict,
};
use serde_json::{Value, json};

/// Time anything may take that a test waits for.
const WAIT: Duration = Duration::from_secs(10);

/// How a link ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// By our judgement.
    Error(PeerError),
    /// By theirs: they closed between messages.
    Closed,
}

/// One link, driven by whoever waits for it.
pub(crate) struct Link {
    stream: TcpStream,
    pub(crate) connection: Connection,
    /// Everything we wrote.
    pub(crate) wrote: Vec<u8>,
    /// Everything that came.
    pub(crate) heard: Vec<u8>,
}

impl Link {
    /// Connects to a ZeroMQ endpoint.
    pub(crate) fn connect(endpoint: &str, config: ConnectionConfig) -> Self {
        let address = endpoint.strip_prefix("tcp://").expect("an endpoint is on loopback");
        Self::new(TcpStream::connect(address).expect("it listens"), config, Side::Connecting)
    }

    /// Waits for a ZeroMQ socket to connect.
    pub(crate) fn accept(listener: &TcpListener, config: ConnectionConfig) -> Self {
        let (stream, _) = listener.accept().expect("a socket connects");
        Self::new(stream, config, Side::Accepting)
    }

    fn new(stream: TcpStream, config: ConnectionConfig, side: Side) -> Self {
        stream.set_nodelay(true).expect("TCP has it");
        let connection = Connection::new(Arc::new(config), side, seed(&stream), Instant::now());
        Self { stream, connection, wrote: Vec::new(), heard: Vec::new() }
    }

    pub(crate) fn send(&mut self, parts: &[&[u8]]) {
        let (last, frames) = parts.split_last().expect("a message has a part");
        let body = last.to_vec().into();
        self.connection.send(Outgoing { frames, body, ..Default::default() }, Token(0));
    }

    /// Takes what is queued, unwritten.
    pub(crate) fn take_output(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while self.connection.backlog() > 0 {
            let mut slices = [IoSlice::new(&[]); 8];
            let count = self.connection.slices(&mut slices);
            let next: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.to_vec()).collect();
            self.connection.advance(next.len());
            bytes.extend(next);
        }
        bytes
    }

    /// Writes bytes past the link; those that the peer no longer reads are lost.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
        self.wrote.extend_from_slice(bytes);
    }

    fn flush(&mut self) {
        let bytes = self.take_output();
        self.write(&bytes);
    }

    /// The next event that is not of our own writing.
    pub(crate) fn event(&mut self) -> Result<Event, End> {
        let mut found = None;
        self.until(|connection| {
            let is_new = |event: &Event| !matches!(event, Event::Written(_));
            found = std::iter::from_fn(|| connection.poll_event()).find(is_new);
            found.is_some()
        })?;
        Ok(found.expect("it was just found"))
    }

    /// Runs until `done`.
    pub(crate) fn until(
        &mut self,
        mut done: impl FnMut(&mut Connection) -> bool,
    ) -> Result<(), End> {
        let started = Instant::now();
        loop {
            self.flush();
            if done(&mut self.connection) {
                return Ok(());
            }
            assert!(started.elapsed() < WAIT, "nothing came: {:?}", self.connection);
            let outcome = self.read();
            self.flush();
            outcome?;
        }
    }

    /// Runs until the counters say so.
    pub(crate) fn until_stats(
        &mut self,
        done: impl Fn(&ConnectionStats) -> bool,
    ) -> Result<(), End> {
        self.until(|connection| done(connection.stats()))
    }

    fn read(&mut self) -> Result<(), End> {
        let due = self.connection.poll_timeout().unwrap_or(Instant::now() + WAIT);
        let wait = due.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        self.stream.set_read_timeout(Some(wait.min(WAIT))).expect("a socket has time-outs");
        let mut bytes = vec![0; 64 * 1024];
        let outcome = match self.stream.read(&mut bytes) {
            Ok(0) => return self.left(),
            Ok(count) => {
                self.heard.extend_from_slice(&bytes[..count]);
                self.connection.handle_input(&mut bytes[..count], Instant::now())
            }
            Err(why) if matches!(why.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                self.connection.handle_timeout(Instant::now())
            }
            Err(_) => return self.left(),
        };
        outcome.map_err(End::Error)
    }

    /// They closed.
    fn left(&mut self) -> Result<(), End> {
        self.connection.handle_eof().map_err(End::Error)?;
        Err(End::Closed)
    }

    /// Runs until it ends.
    pub(crate) fn end(&mut self) -> End {
        self.until(|_| false).expect_err("it never ends well")
    }

    /// Runs the handshake, answering what is asked; who came, and what was asked.
    pub(crate) fn ready(&mut self, verdict: &Verdict) -> Result<(Ready, Option<Question>), End> {
        let mut asked = None;
        loop {
            match self.event()? {
                Event::Ask(question) => {
                    asked = Some(question);
                    let answered = self.connection.answer(verdict.clone(), Instant::now());
                    self.flush();
                    answered.map_err(End::Error)?;
                }
                Event::Ready(ready) => return Ok((*ready, asked)),
                other => panic!("{other:?} before the end of the handshake"),
            }
        }
    }

    /// The next message's parts.
    pub(crate) fn message(&mut self) -> Result<Vec<Vec<u8>>, End> {
        match self.event()? {
            Event::Message(parts) => Ok(parts.iter().map(<[u8]>::to_vec).collect()),
            other => panic!("{other:?} is no message"),
        }
    }
}

/// Different for each link of a test, which is all that these need.
fn seed(stream: &TcpStream) -> [u8; 32] {
    let mut seed = [0x5e; 32];
    for address in [stream.local_addr(), stream.peer_addr()].into_iter().flatten() {
        seed.iter_mut().zip(address.port().to_be_bytes()).for_each(|(at, byte)| *at ^= byte);
        seed.rotate_left(2);
    }
    seed
}

/// PLAIN or CURVE, with the same secrets on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secured {
    Plain,
    Curve,
}

pub(crate) const USERNAME: &str = "somebody";
pub(crate) const PASSWORD: &str = "something";

pub(crate) fn server_pair() -> KeyPair {
    KeyPair::generate([0x51; 32])
}

pub(crate) fn client_pair() -> KeyPair {
    KeyPair::generate([0xc1; 32])
}

impl Secured {
    /// A link of ours in that role.
    pub(crate) fn ours(self, is_server: bool) -> ConnectionConfig {
        let mut config = ConnectionConfig::default();
        config.identity = "rust".into();
        config.mechanism = match (self, is_server) {
            (Self::Plain, true) => MechanismConfig::PlainServer,
            (Self::Plain, false) => MechanismConfig::PlainClient {
                username: USERNAME.into(),
                password: Secret::new(PASSWORD),
            },
            (Self::Curve, true) => MechanismConfig::CurveServer { key_pairs: vec![server_pair()] },
            (Self::Curve, false) => MechanismConfig::CurveClient {
                server_keys: vec![*server_pair().public()],
                key_pair: client_pair(),
            },
        };
        config
    }

    /// The options of a ZeroMQ socket in that role.
    pub(crate) fn theirs(self, is_server: bool) -> Value {
        let (server, client) = (server_pair(), client_pair());
        match (self, is_server) {
            (Self::Plain, true) => json!({"PLAIN_SERVER": 1}),
            (Self::Plain, false) => {
                json!({"PLAIN_USERNAME": USERNAME, "PLAIN_PASSWORD": PASSWORD})
            }
            (Self::Curve, true) => {
                json!({"CURVE_SERVER": 1, "CURVE_SECRETKEY": *server.secret().to_z85()})
            }
            (Self::Curve, false) => json!({
                "CURVE_SERVERKEY": server.public().to_string(),
                "CURVE_PUBLICKEY": client.public().to_string(),
                "CURVE_SECRETKEY": *client.secret().to_z85(),
            }),
        }
    }

    /// What our admission is asked about a ZeroMQ client.
    pub(crate) fn question(self) -> Question {
        match self {
            Self::Plain => {
                Question::Plain { username: USERNAME.into(), password: Secret::new(PASSWORD) }
            }
            Self::Curve => Question::Curve { client_key: *client_pair().public() },
        }
    }
}

pub(crate) fn admit() -> Verdict {
    Verdict::Admit("me".into())
}
