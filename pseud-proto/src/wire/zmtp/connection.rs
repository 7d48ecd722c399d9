//! One link, from the greeting to its end.

mod decoded;
mod handshake;
mod traffic;

use super::greeting;
use crate::auth::mechanism_name::MechanismName;
use crate::auth::question::Verdict;
use crate::base::budget::FloodBudget;
use crate::base::side::Side;
use crate::error::{Insecure, Malformed, Misbehaved, PeerError};
use crate::message::framed::Framed;
use crate::message::incoming::{IncomingBytes, IncomingMessage};
use crate::message::outgoing::{Outgoing, Token};
use crate::wire::zmtp::config::{ConnectionConfig, Heartbeat};
use crate::wire::zmtp::connection::decoded::Decoded;
use crate::wire::zmtp::decoder::Decoder;
use crate::wire::zmtp::entropy::{Draw, Entropy};
use crate::wire::zmtp::event::{Event, Incoming};
use crate::wire::zmtp::greeting::Greeting;
use crate::wire::zmtp::heartbeat::Liveness;
use crate::wire::zmtp::input::Input;
use crate::wire::zmtp::mechanism::Mechanism;
use crate::wire::zmtp::output::LinkOutput;
use crate::wire::zmtp::stats::ConnectionStats;
use bytes::BytesMut;
use bytes::buf::Limit;
use std::collections::VecDeque;
use std::fmt;
use std::io::IoSlice;
use std::sync::Arc;
use std::time::Instant;
use zeroize::Zeroize;

/// Events of one portion of input.
const EVENTS_AT_ONCE: usize = 32;

/// One ZMTP 3.1 link: bytes in, events and bytes out. It owns no socket and no clock.
///
/// | kind | methods |
/// |---|---|
/// | inputs | [`receive`](Self::receive) or [`handle_input`](Self::handle_input), [`large`](Self::large) with [`handle_filled`](Self::handle_filled), [`handle_eof`](Self::handle_eof), [`handle_timeout`](Self::handle_timeout) |
/// | commands | [`answer`](Self::answer), [`send`](Self::send), [`advance`](Self::advance) |
/// | polls | [`poll_event`](Self::poll_event), [`poll_timeout`](Self::poll_timeout), [`slices`](Self::slices) |
/// | getters | [`is_ready`](Self::is_ready), [`backlog`](Self::backlog), [`stats`](Self::stats) |
///
/// The loop: after any input or command drain `poll_event`, then write what `slices` holds and
/// `advance` by what was written; wait for bytes, for `poll_timeout` or for something to send.
///
/// An error is final: every later input returns the same one, `poll_timeout` is `None`, and only
/// what was queued can still be written. Events from before the error can still be polled.
///
/// ```
/// use pseud_proto::zmtp::{Connection, ConnectionConfig, Event, Side};
/// use std::io::IoSlice;
/// use std::sync::Arc;
/// use std::time::Instant;
///
/// let (config, now) = (Arc::new(ConnectionConfig::default()), Instant::now());
/// let mut client = Connection::new(config.clone(), Side::Connecting, [1; 32], now);
/// let mut server = Connection::new(config, Side::Accepting, [2; 32], now);
/// // What one writes the other reads, as if a stream were between them.
/// for (from, to) in [(0, 1), (1, 0)] {
///     let mut both = [&mut client, &mut server];
///     let mut slices = [IoSlice::new(&[]); 8];
///     let count = both[from].slices(&mut slices);
///     let mut bytes: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.to_vec()).collect();
///     both[from].advance(bytes.len());
///     both[to].handle_input(&mut bytes, now)?;
/// }
/// assert!(matches!(server.poll_event(), Some(Event::Ready(_))));
/// assert!(client.is_ready() && server.is_ready());
/// # Ok::<_, pseud_proto::PeerError>(())
/// ```
pub struct Connection {
    config: Arc<ConnectionConfig>,
    phase: Phase,
    mechanism: Mechanism,
    /// Whether a verdict is awaited, and nothing else until then.
    asked: bool,
    decoder: Decoder,
    liveness: Liveness,
    events: VecDeque<Event>,
    output: LinkOutput,
    stats: ConnectionStats,
    flood: FloodBudget,
    failed: Option<PeerError>,
}

#[derive(Debug)]
enum Phase {
    Greeting(Box<Start>),
    Handshake { minor: u8, deadline: Option<Instant> },
    Traffic,
}

/// What only the first 64 bytes need.
#[derive(Debug)]
struct Start {
    greeting: Greeting,
    greeting_deadline: Option<Instant>,
    deadline: Option<Instant>,
}

impl Connection {
    /// A link whose transport has just been opened. Our whole greeting, and under NULL our READY
    /// behind it, are queued at once: a peer that waits for ours before it sends its own is never
    /// kept waiting.
    ///
    /// The `seed` is all the entropy this link gets, keys included: draw it from the operating
    /// system, for this link alone.
    pub fn new(config: Arc<ConnectionConfig>, side: Side, seed: [u8; 32], now: Instant) -> Self {
        Self::for_attempt(config, side, 0, seed, now)
    }

    /// The same for a later attempt to reach one server: a CURVE client that knows two keys of its
    /// server believes in one of them for the length of a link, and takes them in turn. To all
    /// others the number means nothing.
    pub fn for_attempt(
        config: Arc<ConnectionConfig>,
        side: Side,
        attempt: u32,
        seed: [u8; 32],
        now: Instant,
    ) -> Self {
        let entropy = Entropy::new(seed);
        let liveness = Liveness::new(&config.heartbeat, *entropy.draw(Draw::Jitter), now);
        let mechanism = Mechanism::new(&config, side, attempt, &entropy);
        let mut output = LinkOutput::default();
        let (name, as_server) = (config.mechanism.name(), config.mechanism.is_server());
        output.put_bytes(&greeting::ours(&config.identity, name, as_server));
        if let Some(body) = mechanism.start(&config) {
            output.put_command(&body);
        }
        let timeout = config.handshake_timeout.min(mechanism.timeout_max());
        let deadline = now.checked_add(timeout);
        let greeting_deadline = now.checked_add(config.greeting_timeout.min(timeout));
        Self {
            liveness,
            phase: Phase::Greeting(Box::new(Start {
                greeting: Greeting::new(),
                greeting_deadline,
                deadline,
            })),
            mechanism,
            asked: false,
            decoder: Decoder::default(),
            events: VecDeque::new(),
            output,
            stats: ConnectionStats::default(),
            flood: FloodBudget::default(),
            failed: None,
            config,
        }
    }

    /// The same, passing over the last frame of a message where that one is over a limit and others of
    /// the message came before it: [`Event::TooLarge`] tells what it was, its bytes are read and
    /// dropped, as much at a time as a driver's own buffer takes, and the link lives. All else that is
    /// over a limit ends the link, and so does a frame of 4 GiB or more.
    ///
    /// Under CURVE nothing is passed over: a frame's tag can only be checked when all of it is there.
    #[must_use]
    pub fn skip_too_large(mut self) -> Self {
        self.decoder.skip_too_large();
        self
    }

    /// Bytes came. All of them are taken; what they held of a partial frame is kept. The content of
    /// `input` is unspecified afterwards.
    ///
    /// # Errors
    /// The peer broke the rules: close the link.
    pub fn handle_input(&mut self, input: &mut [u8], now: Instant) -> Result<(), PeerError> {
        self.handle(input, usize::MAX, now).map(drop)
    }

    /// The same, as far as the next few messages: for who does something with each before it looks at
    /// the next, and then hands in the rest. At most 32 events wait then. Returns how many bytes were
    /// taken: at least one.
    ///
    /// # Errors
    /// As [`handle_input`](Self::handle_input): nothing more is taken.
    pub fn handle_some(&mut self, input: &mut [u8], now: Instant) -> Result<usize, PeerError> {
        self.handle(input, EVENTS_AT_ONCE, now)
    }

    fn handle(
        &mut self,
        input: &mut [u8],
        events_max: usize,
        now: Instant,
    ) -> Result<usize, PeerError> {
        let (size, mut rest) = (input.len(), input);
        while self.events.len() < events_max
            && let Some(incoming) = self.take(&mut rest, now)?
        {
            self.keep(incoming);
        }
        Ok(size - rest.len())
    }

    fn keep(&mut self, event: Event) {
        if self.events.len() == self.events.capacity() {
            // One message after the other needs one place; where one is behind another, many may be.
            let places =
                if self.events.is_empty() { 1 } else { self.events.len().max(EVENTS_AT_ONCE) };
            self.events.reserve_exact(places);
        }
        self.events.push_back(event);
    }

    /// The next thing that came, where it lies: an event that waits, else what the front of `input` holds,
    /// which is cut off. `None`: all of the input was taken, and what it held of a partial frame is kept.
    /// The content of what was taken is unspecified afterwards.
    ///
    /// For drivers that look at each message before the next; [`handle_input`](Self::handle_input) copies
    /// all of them.
    ///
    /// # Errors
    /// The peer broke the rules: close the link.
    pub fn receive<'a, 'i: 'a>(
        &'a mut self,
        input: &mut &'i mut [u8],
        now: Instant,
    ) -> Result<Option<Incoming<'a>>, PeerError> {
        if let Some(event) = self.events.pop_front() {
            return Ok(Some(Incoming::Event(event)));
        }
        Ok(match self.next(input, now)? {
            Decoded::Message(bytes) => Some(Incoming::Message(self.received(bytes))),
            Decoded::Event(event) => Some(Incoming::Event(event)),
            Decoded::Nothing => None,
        })
    }

    #[inline]
    fn received<'a>(&'a self, bytes: IncomingBytes<'a>) -> IncomingMessage<'a> {
        let (first, more) = self.decoder.places();
        IncomingMessage::new(bytes, first, more)
    }

    /// The next thing that the input holds, to keep.
    fn take(&mut self, input: &mut &mut [u8], now: Instant) -> Result<Option<Event>, PeerError> {
        Ok(match self.next(input, now)? {
            Decoded::Message(bytes) => Some(Event::Message(self.received(bytes).into_parts())),
            Decoded::Event(event) => Some(event),
            Decoded::Nothing => None,
        })
    }

    fn next<'a>(
        &mut self,
        input: &mut &'a mut [u8],
        now: Instant,
    ) -> Result<Decoded<'a>, PeerError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if !matches!(self.phase, Phase::Traffic)
            && let Some(event) = self.next_of_handshake(input, now)?
        {
            return Ok(Decoded::Event(event));
        }
        if input.is_empty() {
            self.decoder.rest();
            return Ok(Decoded::Nothing);
        }
        self.liveness.heard(now);
        let mut rest = Input::new(std::mem::take(input));
        let decoded = self.decode(&mut rest, now);
        *input = rest.into_rest();
        decoded.map_err(|error| self.fail(error))
    }

    /// The same until the handshake is over. What is taken may be a part of a password, and is wiped.
    fn next_of_handshake(
        &mut self,
        input: &mut &mut [u8],
        now: Instant,
    ) -> Result<Option<Event>, PeerError> {
        let mut rest = Input::new(input);
        let took = self.take_handshake(&mut rest, now);
        let left = rest.len();
        // What follows an error is not taken, and may be a part of a password as well.
        let taken = if took.is_err() { input.len() } else { input.len() - left };
        let (taken, behind) = std::mem::take(input).split_at_mut(taken);
        taken.zeroize();
        *input = behind;
        took.map_err(|error| self.fail(error))
    }

    /// While a large frame is partial, the place for its next bytes: what is read into it need not be
    /// copied again. Call [`handle_filled`](Self::handle_filled) after reading.
    ///
    /// It takes no byte behind that frame, and its memory grows only with what has come: 65 KiB at most
    /// at first, then by as much again, never more than the frame needs.
    pub fn large(&mut self) -> Option<Limit<&mut BytesMut>> {
        self.decoder.large()
    }

    /// Bytes were read into [`large`](Self::large).
    ///
    /// # Errors
    /// As [`handle_input`](Self::handle_input).
    pub fn handle_filled(&mut self, now: Instant) -> Result<(), PeerError> {
        if let Some(incoming) = self.receive_filled(now)? {
            let event = incoming.into_event();
            self.keep(event);
        }
        Ok(())
    }

    /// The same for drivers that [receive](Self::receive): the frame's message, once it is whole.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    pub fn receive_filled(&mut self, now: Instant) -> Result<Option<Incoming<'_>>, PeerError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.liveness.heard(now);
        let decoded = self.decode(&mut Input::new(&mut []), now);
        Ok(match decoded.map_err(|error| self.fail(error))? {
            Decoded::Message(bytes) => Some(Incoming::Message(self.received(bytes))),
            Decoded::Event(event) => Some(Incoming::Event(event)),
            Decoded::Nothing => None,
        })
    }

    /// The peer will send no more.
    ///
    /// # Errors
    /// It stopped inside the handshake or inside a message. Between messages it may.
    pub fn handle_eof(&mut self) -> Result<(), PeerError> {
        self.unless_failed(|this| match this.phase {
            Phase::Traffic if this.decoder.is_between_messages() => Ok(()),
            Phase::Traffic => Err(Malformed::Truncated.into()),
            Phase::Greeting(_) => Err(Misbehaved::HandshakeIncomplete.into()),
            Phase::Handshake { .. } => Err(this.mechanism.left_alone()),
        })
    }

    /// The moment of [`poll_timeout`](Self::poll_timeout) came. Harmless at any other.
    ///
    /// # Errors
    /// The peer was too slow or silent for too long.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), PeerError> {
        self.unless_failed(|this| {
            if this.poll_timeout().is_none_or(|deadline| now < deadline) {
                return Ok(());
            }
            match this.phase {
                Phase::Traffic if this.stalls_at().is_some_and(|at| at <= now) => {
                    Err(Misbehaved::Stalled.into())
                }
                Phase::Traffic => this.beat(now),
                Phase::Greeting(_) | Phase::Handshake { .. } => {
                    Err(Misbehaved::HandshakeTimeout.into())
                }
            }
        })
    }

    /// Answers [`Event::Ask`]. A second answer, and one that comes after the link failed, mean
    /// nothing; one that nobody asked for is a mistake of the caller's.
    ///
    /// # Errors
    /// The peer is not admitted: write what is queued, which tells it so, and close the link. Or the
    /// handshake's time was over, or the link had failed before.
    pub fn answer(&mut self, verdict: Verdict, now: Instant) -> Result<(), PeerError> {
        let is_early = matches!(self.phase, Phase::Greeting(_)) && self.failed.is_none();
        debug_assert!(!is_early, "an answer was given before Event::Ask");
        self.unless_failed(|this| this.handle_verdict(verdict, now))
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), if nothing else happens before.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.failed.is_some() {
            return None;
        }
        match &self.phase {
            Phase::Greeting(start) => start.greeting_deadline,
            Phase::Handshake { deadline, .. } => *deadline,
            Phase::Traffic => match (self.liveness.deadline(), self.stalls_at()) {
                (Some(beat), Some(stall)) => Some(beat.min(stall)),
                (beat, stall) => beat.or(stall),
            },
        }
    }

    /// When a message that was begun has waited too long for its next byte.
    fn stalls_at(&self) -> Option<Instant> {
        if self.decoder.is_between_messages() {
            return None;
        }
        self.liveness.last_heard().checked_add(self.config.message_timeout)
    }

    /// The next event; drain it until `None`.
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front();
        if event.is_none() && self.events.capacity() > 1 {
            // The queue of a burst of tiny messages has a hundred times the size of their bytes: it is not kept.
            self.events = VecDeque::new();
        }
        event.or_else(|| self.poll_written().map(Event::Written))
    }

    /// Whether events wait, those of what was written apart.
    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// The next [`Event::Written`], ahead of all other events.
    pub fn poll_written(&mut self) -> Option<Token> {
        self.output.poll_written()
    }

    /// Queues a message, once [`Event::Ready`] came. [`Event::Written`] tells when it has left.
    ///
    /// There is no limit here: whoever sends keeps an eye on [`backlog`](Self::backlog). Before
    /// `Ready` and after an error the message is dropped and counted in [`ConnectionStats::unsent`]. So it is
    /// when CURVE has no nonces left for it, after 2^64 frames: that ends the link.
    pub fn send(&mut self, message: Outgoing<'_>, token: Token) {
        self.send_by(|output| output.put_message(message, token));
    }

    /// The same of finished messages, such as an [`Endpoint`](crate::pseud::Endpoint) or a
    /// [`Session`](crate::session::Session) has them: the last of them ends at that token. They are
    /// taken as they are where nothing is encrypted.
    pub fn send_framed(&mut self, messages: Framed<'_>, token: Token) {
        self.send_by(|output| output.put_framed(messages, token));
    }

    fn send_by(&mut self, put: impl FnOnce(&mut LinkOutput) -> bool) {
        let is_early = !matches!(self.phase, Phase::Traffic) && self.failed.is_none();
        debug_assert!(!is_early, "a message was sent before Event::Ready");
        if !self.is_ready() {
            self.stats.unsent += 1;
        } else if !put(&mut self.output) {
            self.stats.unsent += 1;
            self.failed = Some(Insecure::Exhausted.into());
        }
    }

    /// Fills `out` with the next bytes to write, in order, and says how many slices that made.
    pub fn slices<'a>(&'a self, out: &mut [IoSlice<'a>]) -> usize {
        self.output.slices(out)
    }

    /// That many bytes of [`slices`](Self::slices) were written.
    pub fn advance(&mut self, written: usize) {
        self.output.advance(written);
    }

    /// Bytes queued and not written: messages, and what answers the peer's PINGs.
    pub fn backlog(&self) -> usize {
        self.output.backlog()
    }

    /// Whether messages may be sent: the handshake is over and no error came.
    pub fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Traffic) && self.failed.is_none()
    }

    /// The mechanism that the peer's greeting names, escaped, for logs; `None` until that came. It may
    /// be cut where it differs from ours.
    pub fn offered_mechanism(&self) -> Option<String> {
        match &self.phase {
            Phase::Greeting(start) => start.greeting.mechanism(),
            Phase::Handshake { .. } | Phase::Traffic => {
                Some(self.config.mechanism.name().as_str().to_owned())
            }
        }
    }

    /// The mechanism that we speak.
    pub fn mechanism(&self) -> MechanismName {
        self.config.mechanism.name()
    }

    /// The bounds of silence of a link that has no PINGs, since its peer speaks ZMTP 3.0 or
    /// [`Heartbeat::interval`] is `None`: its transport is to find out that the peer is gone, by TCP's
    /// keep-alive for example. `None` where we PING, and before [`Event::Ready`].
    pub fn without_pings(&self) -> Option<Heartbeat> {
        (self.is_ready() && !self.liveness.pings()).then_some(self.config.heartbeat)
    }

    /// What was odd so far.
    pub fn stats(&self) -> &ConnectionStats {
        &self.stats
    }

    /// Makes errors final.
    fn unless_failed(
        &mut self,
        step: impl FnOnce(&mut Self) -> Result<(), PeerError>,
    ) -> Result<(), PeerError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        step(self).map_err(|error| self.fail(error))
    }

    #[cold]
    fn fail(&mut self, error: PeerError) -> PeerError {
        self.failed = Some(error);
        self.mechanism = Mechanism::Over;
        self.decoder.release();
        error
    }

    fn take_handshake(
        &mut self,
        input: &mut Input<'_>,
        now: Instant,
    ) -> Result<Option<Event>, PeerError> {
        if let Phase::Greeting(start) = &mut self.phase {
            let Start { greeting, deadline, .. } = &mut **start;
            let taken = greeting.take(input.peek());
            input.take(taken);
            greeting.check(self.config.mechanism.name())?;
            if !greeting.is_complete() {
                return Ok(None);
            }
            self.phase = Phase::Handshake { minor: greeting.minor(), deadline: *deadline };
            self.begin_handshake()?;
        }
        if input.is_empty() {
            return Ok(None);
        }
        self.liveness.heard(now);
        match self.decode(input, now)? {
            Decoded::Event(event) => Ok(Some(event)),
            // There are no messages before the handshake's end.
            Decoded::Message(_) | Decoded::Nothing => Ok(None),
        }
    }
}

/// Where it stands. What it holds may be secret.
impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = match self.phase {
            Phase::Greeting(_) => "greeting",
            Phase::Handshake { .. } => "handshake",
            Phase::Traffic => "traffic",
        };
        f.debug_struct("Connection")
            .field("mechanism", &self.config.mechanism.name())
            .field("phase", &phase)
            .field("backlog", &self.backlog())
            .field("stats", &self.stats)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_of_messages_leaves_no_room_behind() {
        let now = Instant::now();
        let config = Arc::new(ConnectionConfig::default());
        let mut one = Connection::new(config.clone(), Side::Accepting, [1; 32], now);
        let other = Connection::new(config, Side::Connecting, [2; 32], now);
        let mut slices = [IoSlice::new(&[]); 8];
        let count = other.slices(&mut slices);
        let mut handshake: Vec<u8> =
            slices[..count].iter().flat_map(|slice| slice.to_vec()).collect();
        handshake.extend([0; 2].repeat(10_000));
        one.handle_input(&mut handshake, now).unwrap();
        assert_eq!(std::iter::from_fn(|| one.poll_event()).count(), 10_001);
        assert!(one.events.capacity() <= 1);
    }
}
