//! One of an endpoint's links: a connection, and the session behind it.

pub(crate) mod announced;
pub(crate) mod behind;

use crate::auth::question::{Question, Verdict};
use crate::base::side::Side;
use crate::base::slab::MachineId;
use crate::call::PeerId;
use crate::call::late_guard::LateGuard;
use crate::call::peer::PeerInfo;
use crate::call::profile::{Capabilities, Profile};
use crate::call::siblings::Siblings;
use crate::dialect::Transmit;
use crate::error::{PeerError, Reason};
use crate::rpc::endpoint::Endpoint;
use crate::wire::zmtp::{Connection, ConnectionConfig, Event, Incoming};
use std::io::IoSlice;
use std::sync::Arc;
use std::time::Instant;

/// Bytes that a connection may hold before a driver stops pulling messages into it: two socket
/// buffers' worth, so a write never waits for a pull.
pub const BACKLOG_BYTES_LOW: usize = 128 << 10;

/// A [`Connection`] and its session at an [`Endpoint`] of many: it carries messages from the one to
/// the other. Each method that takes an endpoint must get the one that the link was made for: with
/// another one nothing is carried (and debug builds panic). The loop:
///
/// 1. after anything you do, drain [`Endpoint::poll_action`]; at [`Action::Flush`] write, at
///    [`Action::Close`] [`end`](Self::end) the link. A server of PLAIN or CURVE looks at that link's
///    [`poll_question`](Self::poll_question), too, and [answers](Self::answer) now or later;
/// 2. to write: [`pull`](Self::pull), write [`slices`](Self::slices), [`advance`](Self::advance),
///    until nothing is left or the socket is full;
/// 3. wait for any link's input, room to write, or the earliest `poll_timeout` of all links and of
///    the endpoint;
/// 4. tell that link, write, and go to 1;
/// 5. a link that is over takes no more input: write what `slices` still holds (at most 1 s), close.
///    Of messages it holds nothing then, their calls were told whether they had left; but where we end a
///    session, behind what was begun, why.
///
/// [`Action::Flush`]: crate::Action::Flush
/// [`Action::Close`]: crate::Action::Close
///
/// ```
/// use pseud_proto::pseud::{Endpoint, Link};
/// use pseud_proto::{Action, PeerError};
/// use std::time::Instant;
///
/// /// Bytes came from that link's stream.
/// fn read(links: &mut [Link], at: usize, endpoint: &mut Endpoint, input: &mut [u8], now: Instant) {
///     let broke: Result<(), PeerError> = links[at].handle_input(endpoint, input, now);
///     if let Err(error) = broke {
///         println!("link {at} is over: {error}");
///     }
///     while let Some(action) = endpoint.poll_action() {
///         match action {
///             Action::Flush(peer) => {
///                 let theirs = links.iter_mut().filter(|link| link.peer() == Some(peer));
///                 theirs.for_each(|link| link.pull(endpoint, now));
///             }
///             Action::Close(peer, reason) => {
///                 let theirs = links.iter_mut().filter(|link| link.peer() == Some(peer));
///                 theirs.for_each(|link| link.end(endpoint, reason, now));
///             }
///             action => println!("for the application: {action:?}"),
///         }
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Link {
    connection: Connection,
    /// The endpoint that it is a link of.
    machine: MachineId,
    side: Side,
    address: String,
    late_guard: Option<LateGuard>,
    stage: Stage,
    /// Its peer is told why we end the session.
    reads_goaway: bool,
    /// Asked by the connection, and not taken yet.
    question: Option<Question>,
    /// Bytes of a partial message, as the endpoint was told.
    partial_bytes: usize,
}

/// How far a link has come.
#[derive(Debug, Clone, Copy)]
enum Stage {
    Handshake,
    Open(PeerId),
    /// It ended before there was a session, for that: the handshake's last word may yet be written.
    Refused(Reason),
    /// Its session has ended: its calls were told whether they had left, so nothing more is written.
    Over,
    /// The same by us, and the peer is yet to read why, behind what was begun: no call was told that this had
    /// not left.
    Parting,
}

impl Link {
    /// A link of that endpoint over a fresh stream. Its greeting waits in [`slices`](Self::slices)
    /// already. What the endpoint declares ([`Config::capabilities`](crate::Config)) is among what it
    /// says.
    pub fn new(
        endpoint: &Endpoint,
        config: Arc<ConnectionConfig>,
        side: Side,
        seed: [u8; 32],
        now: Instant,
    ) -> Self {
        Self::with_connection(endpoint, endpoint.announced(config), side, seed, now)
    }

    /// A link that we open, and that says which others of ours there are: a second link of ours to one
    /// peer then stands by there, instead of taking our name from the first.
    pub fn beside(
        endpoint: &Endpoint,
        config: Arc<ConnectionConfig>,
        siblings: &Siblings,
        seed: [u8; 32],
        now: Instant,
    ) -> Self {
        let config = endpoint.config.announced_beside(config, siblings);
        Self::with_connection(endpoint, config, Side::Connecting, seed, now)
    }

    fn with_connection(
        endpoint: &Endpoint,
        config: Arc<ConnectionConfig>,
        side: Side,
        seed: [u8; 32],
        now: Instant,
    ) -> Self {
        let connection = Connection::new(config, side, seed, now).skip_too_large();
        let (address, stage) = (String::new(), Stage::Handshake);
        let machine = endpoint.machine();
        Self {
            connection,
            machine,
            side,
            address,
            late_guard: None,
            stage,
            reads_goaway: false,
            question: None,
            partial_bytes: 0,
        }
    }

    /// The same, with where the other side is, as text: [`PeerInfo::address`].
    #[must_use]
    pub fn with_address(mut self, address: impl Into<String>) -> Self {
        self.address = address.into();
        self
    }

    /// The same, its peer's requests to be answered until then: [`PeerInfo::late_guard`].
    #[must_use]
    pub fn with_late_guard(mut self, guard: impl Into<LateGuard>) -> Self {
        self.late_guard = Some(guard.into());
        self
    }

    /// Bytes came. All of them are taken; they may be changed in place.
    ///
    /// # Errors
    /// The peer broke the protocol: this link is over, and its session has ended.
    pub fn handle_input(
        &mut self,
        endpoint: &mut Endpoint,
        input: &mut [u8],
        now: Instant,
    ) -> Result<(), PeerError> {
        let result = self.receive(endpoint, input, now);
        self.tell_partial(endpoint);
        self.ended_by(endpoint, result, now)
    }

    fn receive(
        &mut self,
        endpoint: &mut Endpoint,
        mut input: &mut [u8],
        now: Instant,
    ) -> Result<(), PeerError> {
        if !self.is_of(endpoint) {
            return self.connection.handle_input(input, now);
        }
        loop {
            let peer = self.peer();
            match self.connection.receive(&mut input, now)? {
                Some(Incoming::Message(message)) => {
                    if let Some(peer) = peer {
                        endpoint.handle_received(peer, message, now)?;
                    }
                }
                Some(Incoming::Event(event)) => self.translate(event, endpoint, now)?,
                None => return Ok(()),
            }
        }
    }

    /// What has come of a partial message counts among what all may take.
    fn tell_partial(&mut self, endpoint: &mut Endpoint) {
        let bytes = self.connection.partial_bytes();
        if let Some(peer) = self.peer().filter(|_| bytes != self.partial_bytes) {
            self.partial_bytes = bytes;
            endpoint.note_partial(peer, bytes);
        }
    }

    /// The stream ended: this link is over, and its session has ended.
    ///
    /// # Errors
    /// It ended inside the handshake or a message.
    pub fn handle_eof(&mut self, endpoint: &mut Endpoint, now: Instant) -> Result<(), PeerError> {
        let told = self.connection.handle_eof();
        self.settle(endpoint, told, now)?;
        self.end(endpoint, Reason::PeerGone, now);
        Ok(())
    }

    /// Time has passed. The endpoint's own [`Endpoint::handle_timeout`] is apart.
    ///
    /// # Errors
    /// The peer was silent for too long: this link is over, and its session has ended.
    pub fn handle_timeout(
        &mut self,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Result<(), PeerError> {
        let told = self.connection.handle_timeout(now);
        self.settle(endpoint, told, now)
    }

    /// The earliest moment at which [`handle_timeout`](Self::handle_timeout) has something to do: none
    /// once the link is over.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.connection.poll_timeout().filter(|_| !self.is_over())
    }

    /// Whether this peer may come in, as the server of PLAIN or CURVE: once a link, and only if its
    /// client came so far. Nothing else of the handshake happens until it is [answered](Self::answer).
    ///
    /// Put a bound on the questions that you keep. One that is never answered ends the link by
    /// [`ConnectionConfig::handshake_timeout`].
    pub fn poll_question(&mut self) -> Option<Question> {
        self.question.take()
    }

    /// Answers [`poll_question`](Self::poll_question); then write. Once: a second answer, and one for
    /// a link that is over, mean nothing.
    ///
    /// # Errors
    /// The peer is not admitted, or the answer comes after the handshake's time: this link is over.
    /// What [`slices`](Self::slices) still holds tells the peer so.
    pub fn answer(
        &mut self,
        endpoint: &mut Endpoint,
        verdict: Verdict,
        now: Instant,
    ) -> Result<(), PeerError> {
        if self.is_over() {
            return Ok(());
        }
        let told = self.connection.answer(verdict, now);
        self.settle(endpoint, told, now)
    }

    /// Takes what the endpoint has queued for this peer, while the connection's backlog is low.
    pub fn pull(&mut self, endpoint: &mut Endpoint, now: Instant) {
        let Some(peer) = self.peer() else { return };
        let connection = &mut self.connection;
        if connection.backlog() < BACKLOG_BYTES_LOW {
            endpoint.pull(peer, now, |message, token| {
                connection.send_framed(message, token);
                connection.backlog() < BACKLOG_BYTES_LOW
            });
        }
    }

    /// Fills `out` with what is to be written, in order; returns how many slices it filled.
    pub fn slices<'a>(&'a self, out: &mut [IoSlice<'a>]) -> usize {
        match self.stage {
            Stage::Over => 0,
            Stage::Handshake | Stage::Open(_) | Stage::Refused(_) | Stage::Parting => {
                self.connection.slices(out)
            }
        }
    }

    /// That many bytes of [`slices`](Self::slices) were written.
    pub fn advance(&mut self, endpoint: &mut Endpoint, written: usize, now: Instant) {
        self.connection.advance(written);
        while let Some(token) = self.connection.poll_written() {
            if let Some(peer) = self.peer().filter(|_| self.is_of(endpoint)) {
                endpoint.handle_written(peer, token, now);
            }
        }
    }

    /// The link is over for a reason of ours or of the socket's: its session ends, unless the
    /// endpoint ended it already. Where that was for a reason that the peer reads (GOAWAY), this is said
    /// behind what was begun: [`slices`](Self::slices) holds it.
    pub fn end(&mut self, endpoint: &mut Endpoint, reason: Reason, now: Instant) {
        self.question = None;
        match self.stage {
            Stage::Handshake => self.stage = Stage::Refused(reason),
            Stage::Open(peer) => {
                let says_why = endpoint.peer_info(peer).is_none() && self.say_why(reason);
                self.stage = if says_why { Stage::Parting } else { Stage::Over };
                endpoint.handle_gone(peer, reason, now);
            }
            Stage::Refused(_) | Stage::Over | Stage::Parting => {}
        }
    }

    /// Queues why this side has ended the session, if its peer reads that.
    fn say_why(&mut self, reason: Reason) -> bool {
        let profile = Profile::declared(Capabilities::ALL, usize::MAX);
        let goaway = Transmit::goaway(profile, reason).filter(|_| self.reads_goaway);
        let Some(goaway) = goaway else { return false };
        goaway.framed(|message, token| self.connection.send_framed(message, token));
        true
    }

    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Refused(_) | Stage::Over | Stage::Parting)
    }

    /// The session, once the handshake is over and until the link ends.
    pub fn peer(&self) -> Option<PeerId> {
        match self.stage {
            Stage::Open(peer) => Some(peer),
            Stage::Handshake | Stage::Refused(_) | Stage::Over | Stage::Parting => None,
        }
    }

    /// Why it ended, where that was before there was a session.
    pub(crate) fn refused(&self) -> Option<Reason> {
        match self.stage {
            Stage::Refused(reason) => Some(reason),
            Stage::Handshake | Stage::Open(_) | Stage::Over | Stage::Parting => None,
        }
    }

    /// The connection, to look at.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// What came before an error counts; the error ends the session.
    fn settle(
        &mut self,
        endpoint: &mut Endpoint,
        told: Result<(), PeerError>,
        now: Instant,
    ) -> Result<(), PeerError> {
        let result = self.translate_all(endpoint, now).and(told);
        self.ended_by(endpoint, result, now)
    }

    fn ended_by(
        &mut self,
        endpoint: &mut Endpoint,
        result: Result<(), PeerError>,
        now: Instant,
    ) -> Result<(), PeerError> {
        if let Err(error) = result {
            self.end(endpoint, error.into(), now);
        }
        result
    }

    /// Whether it is a link of that endpoint; any other is the caller's mistake.
    fn is_of(&self, endpoint: &Endpoint) -> bool {
        let ours = endpoint.machine() == self.machine;
        debug_assert!(ours, "a link of another endpoint");
        ours
    }

    fn translate_all(&mut self, endpoint: &mut Endpoint, now: Instant) -> Result<(), PeerError> {
        while let Some(event) = self.connection.poll_event() {
            if self.is_of(endpoint) {
                self.translate(event, endpoint, now)?;
            }
        }
        Ok(())
    }

    fn translate(
        &mut self,
        event: Event,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Result<(), PeerError> {
        match (event, self.peer()) {
            (Event::Ready(ready), _) => {
                let info = PeerInfo::behind(ready, self.side, &*self.address)
                    .with_late_guard(self.late_guard);
                self.reads_goaway = info.reads_goaway();
                self.stage = Stage::Open(endpoint.handle_connected(info, now));
            }
            (Event::Message(parts), Some(peer)) => endpoint.handle_message(peer, parts, now)?,
            (Event::TooLarge(large), Some(peer)) => {
                endpoint.handle_too_large(peer, &large, now)?;
            }
            (Event::Written(token), Some(peer)) => endpoint.handle_written(peer, token, now),
            (Event::Ask(question), _) => self.question = Some(question),
            (_, None) => {}
        }
        Ok(())
    }
}
