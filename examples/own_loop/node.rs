//! The loop: one thread, one `Endpoint` for all peers, one `Link` for each socket.

use crate::handlers::{Answer, Handler, answer};
use crate::socket::Socket;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use pseud::proto::pseud::{Endpoint, Link};
use pseud::proto::registry::Handlers;
use pseud::proto::zmtp::{ConnectionConfig, Side};
use pseud::proto::{Action, PeerId};
use pseud::{Config, Reason};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

const LISTENER: Token = Token(0);
/// More links are accepted and closed at once, so that the process keeps descriptors to itself.
const LINKS_MAX: usize = 1000;

/// A server, a client, or both: it accepts, it dials, and once a link stands both sides may call.
pub(crate) struct Node {
    pub(crate) endpoint: Endpoint,
    pub(crate) handlers: Handlers<Handler>,
    config: Arc<ConnectionConfig>,
    /// Other threads wake the loop by a `mio::Waker` of it.
    pub(crate) poll: Poll,
    listener: TcpListener,
    sockets: BTreeMap<Token, Socket>,
    peers: BTreeMap<PeerId, Token>,
    /// What may have more to read. The poll says it once; only `WouldBlock` takes it out again.
    readable: BTreeSet<Token>,
    last: Token,
}

impl Node {
    /// Listens there (port 0: one that is free).
    pub(crate) fn new(identity: &'static str, config: Config, at: SocketAddr) -> io::Result<Self> {
        let mut connection = ConnectionConfig::default();
        connection.identity = identity.into();
        // Once for all links: what peers are told that we understand.
        let connection = config.announced(Arc::new(connection));
        let poll = Poll::new()?;
        let mut listener = TcpListener::bind(at)?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self {
            endpoint: Endpoint::new(Arc::new(config), seed()?),
            handlers: Handlers::new(),
            config: connection,
            poll,
            listener,
            sockets: BTreeMap::new(),
            peers: BTreeMap::new(),
            readable: BTreeSet::new(),
            last: LISTENER,
        })
    }

    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    pub(crate) fn dial(&mut self, address: SocketAddr) -> io::Result<()> {
        self.adopt(TcpStream::connect(address)?, address, Side::Connecting)
    }

    /// Whether no socket is open.
    pub(crate) fn is_alone(&self) -> bool {
        self.sockets.is_empty()
    }

    /// One turn: waits, tells the machines, does what they ask for. Returns what is left for the
    /// application: who came and went, how its calls ended, and requests that it answers later.
    pub(crate) fn turn(&mut self) -> io::Result<Vec<Action>> {
        // What the application itself commanded since the last turn comes first.
        let news = self.act(Instant::now());
        if !news.is_empty() {
            return Ok(news);
        }
        let mut events = Events::with_capacity(256);
        match self.poll.poll(&mut events, self.timeout()) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let now = Instant::now();
        for event in &events {
            if event.is_readable() {
                self.readable.insert(event.token());
            }
            if event.is_writable() {
                self.tell(event.token(), now, |_, _| Ok(()));
            }
        }
        // One read each, then it is the next one's turn: nobody keeps the thread to itself.
        for token in self.readable.clone() {
            match token {
                LISTENER => self.accept(),
                token => self.read(token, now),
            }
        }
        self.handle_timeouts(now);
        Ok(self.act(now))
    }

    /// Until the earliest of all deadlines. Thousands of links would keep theirs sorted.
    fn timeout(&self) -> Option<Duration> {
        if !self.readable.is_empty() {
            return Some(Duration::ZERO);
        }
        let links = self.sockets.values().filter_map(Socket::deadline);
        let first = links.chain(self.endpoint.poll_timeout()).min()?;
        Some(first.saturating_duration_since(Instant::now()))
    }

    fn handle_timeouts(&mut self, now: Instant) {
        self.endpoint.handle_timeout(now);
        let is_due = |socket: &Socket| socket.deadline().is_some_and(|at| at <= now);
        let due = self.sockets.iter().filter(|(_, socket)| is_due(socket));
        for token in due.map(|(&token, _)| token).collect::<Vec<_>>() {
            self.tell(token, now, |socket, endpoint| {
                socket.link.handle_timeout(endpoint, now).map_err(Reason::from)
            });
        }
    }

    fn accept(&mut self) {
        match self.listener.accept() {
            // Should adopting fail, that one socket is closed, and the next may fare better.
            Ok((stream, address)) if self.sockets.len() < LINKS_MAX => {
                let _ = self.adopt(stream, address, Side::Accepting);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.readable.remove(&LISTENER);
            }
            Ok(_) | Err(_) => {}
        }
    }

    fn adopt(&mut self, mut stream: TcpStream, address: SocketAddr, side: Side) -> io::Result<()> {
        let (config, now) = (self.config.clone(), Instant::now());
        let link = Link::new(&self.endpoint, config, side, seed()?, now);
        let link = link.with_address(address.to_string());
        self.last = Token(self.last.0 + 1);
        // The first "writable" sends our greeting.
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut stream, self.last, interest)?;
        self.sockets.insert(self.last, Socket::new(stream, link));
        Ok(())
    }

    fn read(&mut self, token: Token, now: Instant) {
        let mut more = false;
        self.tell(token, now, |socket, endpoint| {
            more = socket.read(endpoint, now)?;
            Ok(())
        });
        if !more {
            self.readable.remove(&token);
        }
    }

    /// Tells one link something and writes what it has to say. An error ends that link alone.
    fn tell(
        &mut self,
        token: Token,
        now: Instant,
        tell: impl FnOnce(&mut Socket, &mut Endpoint) -> Result<(), Reason>,
    ) {
        let Some(socket) = self.sockets.get_mut(&token) else { return };
        if !socket.is_ending() {
            let told = tell(socket, &mut self.endpoint);
            if let Some(peer) = socket.link.peer() {
                self.peers.insert(peer, token);
            }
            if let Err(reason) = told {
                socket.end(&mut self.endpoint, reason, now);
            }
        }
        socket.write(&mut self.endpoint, now);
    }

    /// Does what the endpoint asks for, until it asks for nothing more.
    fn act(&mut self, now: Instant) -> Vec<Action> {
        let mut rest = Vec::new();
        while let Some(action) = self.endpoint.poll_action() {
            match action {
                Action::Serve(request) => match answer(&self.handlers, request) {
                    Answer::Reply(ticket, result) => self.endpoint.reply(ticket, result, now),
                    Answer::Refuse(ticket, refusal) => self.endpoint.refuse(ticket, &refusal, now),
                    Answer::Later(request) => rest.push(Action::Serve(request)),
                },
                Action::Flush(peer) => self.report_peer(peer, now, Ok(())),
                Action::Close(peer, reason) => self.report_peer(peer, now, Err(reason)),
                action => rest.push(action),
            }
        }
        self.sockets.retain(|_, socket| !socket.is_over(now));
        self.peers.retain(|_, token| self.sockets.contains_key(token));
        rest
    }

    fn report_peer(&mut self, peer: PeerId, now: Instant, command: Result<(), Reason>) {
        if let Some(&token) = self.peers.get(&peer) {
            self.tell(token, now, |_, _| command);
        }
    }
}

/// All the randomness of one machine.
fn seed() -> io::Result<[u8; 32]> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(io::Error::other)?;
    Ok(seed)
}
