//! One link, from the greeting to its end (RFC 37; RFC 23 with peers of ZMTP 3.0).

mod deadlines;
mod decoded;
mod handshake;
mod input;
pub(crate) mod opened;
mod output;
mod traffic;
mod waiting;

use self::waiting::WaitingEvents;
use super::greeting;
use crate::auth::mechanism_name::MechanismName;
use crate::base::budget::FloodBudget;
use crate::base::progress::Progress;
use crate::base::side::Side;
use crate::error::PeerError;
use crate::wire::zmtp::config::{ConnectionConfig, Heartbeat};
use crate::wire::zmtp::decoder::Decoder;
use crate::wire::zmtp::entropy::{Draw, Entropy};
use crate::wire::zmtp::event::Event;
use crate::wire::zmtp::greeting::Greeting;
use crate::wire::zmtp::heartbeat::Liveness;
use crate::wire::zmtp::mechanism::Mechanism;
use crate::wire::zmtp::output::LinkOutput;
use crate::wire::zmtp::stats::ConnectionStats;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

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
    events: WaitingEvents,
    output: LinkOutput,
    stats: ConnectionStats,
    flood: FloodBudget,
    /// Whether a message that was begun goes on, and whether the peer reads.
    coming: Progress,
    leaving: Progress,
    /// Boxed, as hardly any link has one.
    failed: Option<Box<PeerError>>,
}

#[derive(Debug)]
enum Phase {
    Greeting(Box<Start>),
    Handshake(Box<Start>),
    Traffic,
}

/// What only the handshake needs.
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
            events: WaitingEvents::default(),
            output,
            stats: ConnectionStats::default(),
            flood: FloodBudget::default(),
            coming: Progress::default(),
            leaving: Progress::default(),
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

    /// The next event; drain it until `None`.
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front();
        if event.is_none() {
            self.events.rest();
        }
        event.or_else(|| self.poll_written().map(Event::Written))
    }

    /// Whether no event waits, and no room is held for any: of an empty input nothing more
    /// [comes](Self::receive).
    #[inline]
    pub fn is_drained(&self) -> bool {
        self.events.is_drained()
    }

    /// Whether events wait, those of what was written apart.
    #[inline]
    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
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
            Phase::Handshake(_) | Phase::Traffic => {
                Some(self.config.mechanism.name().as_str().to_owned())
            }
        }
    }

    /// The mechanism that we speak.
    #[inline]
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
        if let Some(error) = &self.failed {
            return Err(**error);
        }
        step(self).map_err(|error| self.fail(error))
    }

    #[cold]
    fn fail(&mut self, error: PeerError) -> PeerError {
        self.failed = Some(Box::new(error));
        self.mechanism = Mechanism::Over;
        self.decoder.release();
        error
    }
}

/// Where it stands. What it holds may be secret.
impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = match self.phase {
            Phase::Greeting(_) => "greeting",
            Phase::Handshake(_) => "handshake",
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
