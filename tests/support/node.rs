//! An endpoint with many connections, driven as its documentation says.

use super::clock::Clock;
use super::log::{Ended, Log, Work, arguments, result};
use super::talker::gather;
use super::wire::End;
use bytes::Bytes;
use pseud::proto::pseud::{BACKLOG_BYTES_LOW, Endpoint, Kind, PeerInfo};
use pseud::proto::zmtp::{Connection, ConnectionConfig, Event, Outgoing, Side, Token};
use pseud::proto::{Action, CallId, CallOptions, CallRefused, PeerError, PeerId, To};
use pseud::{Config, Fault, LateGuard, Reason, User};
use serde::Serialize;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::IoSlice;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

/// One endpoint, its lines, and what came out of it.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) endpoint: Endpoint,
    pub(crate) log: Log,
    /// Who is authenticated as which user, by routing id; all others are nobody.
    pub(crate) users: BTreeMap<Vec<u8>, User>,
    /// The guard of links that are opened from now on, where it is not the endpoint's.
    pub(crate) late_guard: Option<LateGuard>,
    clock: Clock,
    config: Arc<ConnectionConfig>,
    seed: u8,
    lines: Vec<Line>,
    /// The ids of requests that came, in order.
    pub(crate) heard: Vec<Id>,
}

/// A message id on the wire.
pub(crate) type Id = Vec<u8>;

#[derive(Debug)]
struct Line {
    connection: Connection,
    side: Side,
    peer: Option<PeerId>,
    over: bool,
    /// The last request that was sent here.
    asked: Option<(Id, Bytes)>,
}

/// One line of a node, as the end of a wire.
#[derive(Debug, Clone)]
pub(crate) struct Port {
    pub(crate) node: Rc<RefCell<Node>>,
    line: usize,
}

impl Node {
    pub(crate) fn new(
        config: Config,
        connection: ConnectionConfig,
        seed: u8,
        clock: &Clock,
    ) -> Rc<RefCell<Self>> {
        let connection = config.announced(Arc::new(connection));
        Rc::new(RefCell::new(Self {
            endpoint: Endpoint::new(Arc::new(config), [seed; 32]),
            log: Log::default(),
            users: BTreeMap::new(),
            late_guard: None,
            clock: clock.clone(),
            config: connection,
            seed,
            lines: Vec::new(),
            heard: Vec::new(),
        }))
    }

    /// A new line of that node.
    pub(crate) fn open(node: &Rc<RefCell<Self>>, side: Side) -> Port {
        let mut this = node.borrow_mut();
        let (line, mut seed) = (this.lines.len(), [this.seed; 32]);
        seed[..8].copy_from_slice(&line.to_be_bytes());
        let connection = Connection::new(this.config.clone(), side, seed, this.clock.now());
        let connection = connection.skip_too_large();
        this.lines.push(Line { connection, side, peer: None, over: false, asked: None });
        Port { node: node.clone(), line }
    }

    pub(crate) fn call(
        &mut self,
        to: To,
        name: &str,
        args: impl Serialize,
        options: CallOptions,
    ) -> Result<CallId, CallRefused> {
        let call = self.endpoint.call(to, name, arguments(args), options, self.clock.now());
        self.drain();
        call
    }

    pub(crate) fn cancel(&mut self, call: CallId) {
        self.endpoint.cancel(call, self.clock.now());
        self.drain();
    }

    /// The oldest request that waits to be answered.
    pub(crate) fn work(&mut self) -> Work {
        self.next_work().expect("a request that waits")
    }

    pub(crate) fn next_work(&mut self) -> Option<Work> {
        let request = self.log.requests.pop_front()?;
        Some(Work::new(request).expect("a sound request"))
    }

    pub(crate) fn answer(&mut self, work: Work, value: impl Serialize) {
        self.endpoint.reply(work.ticket, Ok(result(value)), self.clock.now());
        self.drain();
    }

    pub(crate) fn fail(&mut self, work: Work, fault: Fault) {
        self.endpoint.reply(work.ticket, Err(fault), self.clock.now());
        self.drain();
    }

    pub(crate) fn abandon(&mut self, work: Work) {
        self.endpoint.abandon(work.ticket, self.clock.now());
        self.drain();
    }

    pub(crate) fn shutdown(&mut self) {
        self.endpoint.shutdown(self.clock.now());
        self.drain();
    }

    /// Ends that user's sessions; says how many there were.
    pub(crate) fn disconnect_user(&mut self, user: &str) -> usize {
        let ended = self.endpoint.disconnect_user(user.as_bytes(), self.clock.now());
        self.drain();
        ended
    }

    pub(crate) fn ended(&self, call: CallId) -> Ended {
        self.log.ended(call)
    }

    /// Its endpoint's deadline came, or may have.
    pub(crate) fn timeout(&mut self) {
        self.endpoint.handle_timeout(self.clock.now());
        self.drain();
    }

    pub(crate) fn clock(&self) -> Clock {
        self.clock.clone()
    }

    fn drain(&mut self) {
        while let Some(action) = self.endpoint.poll_action() {
            match action {
                Action::Flush(peer) => self.pull(peer),
                action => {
                    if let Action::Close(peer, _) = action {
                        self.close(peer);
                    }
                    self.log.take(action);
                }
            }
        }
    }

    fn pull(&mut self, peer: PeerId) {
        let Some(line) = self.lines.iter_mut().find(|line| line.peer == Some(peer)) else { return };
        while line.connection.backlog() < BACKLOG_BYTES_LOW {
            let Some(transmit) = self.endpoint.poll_transmit(peer, self.clock.now()) else {
                return;
            };
            let (kind, asked) = (transmit.kind(), &mut line.asked);
            transmit.with(|message, token| {
                if kind == Kind::Work {
                    let body = [message.head, &message.body].concat();
                    *asked = Some((message.frames[2].to_vec(), body.into()));
                }
                line.connection.send(message, token);
            });
        }
    }

    fn close(&mut self, peer: PeerId) {
        for line in self.lines.iter_mut().filter(|line| line.peer == Some(peer)) {
            line.over = true;
        }
    }

    /// Tells a line something, and its session what came of it.
    fn tell(
        &mut self,
        line: usize,
        tell: impl FnOnce(&mut Connection, Instant) -> Result<(), PeerError>,
    ) {
        let told = tell(&mut self.lines[line].connection, self.clock.now());
        if let Err(error) = self.exchange(line).and(told) {
            self.end(line, error.into());
        }
        self.drain();
        if let Some(peer) = self.lines[line].peer.filter(|_| !self.lines[line].over) {
            self.pull(peer);
            self.drain();
        }
    }

    fn exchange(&mut self, line: usize) -> Result<(), PeerError> {
        let (now, line) = (self.clock.now(), &mut self.lines[line]);
        while let Some(event) = line.connection.poll_event() {
            match (event, line.peer) {
                (Event::Ready(ready), _) => {
                    let user = self.users.get(&ready.identity[..]).cloned().unwrap_or_default();
                    let info = PeerInfo::behind(ready, line.side, "").with_user(user);
                    let info = info.with_late_guard(self.late_guard);
                    line.peer = Some(self.endpoint.handle_connected(info, now));
                }
                (Event::Message(parts), Some(peer)) => {
                    if parts.len() == 5 && parts.get(3) == Some(&[Kind::Work.byte()]) {
                        self.heard.push(parts.get(2).unwrap_or_default().to_vec());
                    }
                    self.endpoint.handle_message(peer, parts, now)?;
                }
                (Event::TooLarge(large), Some(peer)) => {
                    self.endpoint.handle_too_large(peer, &large, now)?;
                }
                (Event::Written(token), Some(peer)) => {
                    self.endpoint.handle_written(peer, token, now);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn end(&mut self, line: usize, reason: Reason) {
        self.lines[line].over = true;
        if let Some(peer) = self.lines[line].peer {
            self.endpoint.handle_gone(peer, reason, self.clock.now());
        }
    }
}

impl Port {
    /// The session of this line, if it is open.
    pub(crate) fn peer(&self) -> Option<PeerId> {
        let node = self.node.borrow();
        node.lines[self.line].peer.filter(|_| !node.lines[self.line].over)
    }

    /// Sends its last request again, as no endpoint does; says which that was.
    pub(crate) fn repeat(&self) -> Option<Id> {
        let mut node = self.node.borrow_mut();
        let line = &mut node.lines[self.line];
        let (id, body) = line.asked.clone().filter(|_| !line.over)?;
        let frames: [&[u8]; 4] = [b"", b"v1", &id, &[Kind::Work.byte()]];
        let message = Outgoing { frames: &frames, body, ..Outgoing::default() };
        // It names nothing that an endpoint could have sent.
        line.connection.send(message, Token(u64::MAX));
        Some(id)
    }

    /// Bytes that its connection holds.
    pub(crate) fn backlog(&self) -> usize {
        self.node.borrow().lines[self.line].connection.backlog()
    }
}

impl End for Port {
    fn write(&mut self, max: usize) -> Vec<u8> {
        let mut node = self.node.borrow_mut();
        if node.lines[self.line].is_mute() {
            return Vec::new();
        }
        let bytes = gather(max, |out| node.lines[self.line].connection.slices(out));
        if !bytes.is_empty() {
            node.tell(self.line, |connection, _| {
                connection.advance(bytes.len());
                Ok(())
            });
        }
        bytes
    }

    fn wants_to_write(&self) -> bool {
        let node = self.node.borrow();
        let line = &node.lines[self.line];
        !line.is_mute() && line.connection.slices(&mut [IoSlice::new(&[])]) > 0
    }

    fn read(&mut self, input: &mut [u8]) {
        let mut node = self.node.borrow_mut();
        node.tell(self.line, |connection, now| connection.handle_input(input, now));
    }

    fn eof(&mut self) {
        let mut node = self.node.borrow_mut();
        node.tell(self.line, |connection, _| connection.handle_eof());
        node.end(self.line, Reason::PeerGone);
        node.drain();
    }

    fn timeout(&mut self) {
        let mut node = self.node.borrow_mut();
        node.timeout();
        if !node.lines[self.line].over {
            node.tell(self.line, |connection, now| connection.handle_timeout(now));
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let node = self.node.borrow();
        let line = &node.lines[self.line];
        let link = line.connection.poll_timeout().filter(|_| !line.over);
        link.into_iter().chain(node.endpoint.poll_timeout()).min()
    }

    fn is_over(&self) -> bool {
        self.node.borrow().lines[self.line].over
    }
}

impl Line {
    /// A session that has ended says nothing more: its calls were told whether they had left.
    fn is_mute(&self) -> bool {
        self.over && self.peer.is_some()
    }
}
