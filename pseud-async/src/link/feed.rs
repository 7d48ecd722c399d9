//! A link's way in: bytes, timeouts and the stream's end are told to its connection, and what comes of them
//! to its session.

use super::StreamLink;
use super::carrier::Carrier;
use super::exchange::{ExchangeFindings, OPENED_MAX};
use crate::engine::effects::Effects;
use crate::engine::joining::Newcomer;
use crate::runtime::Writer;
use pseud_proto::zmtp::{Connection, OpenedMessages, Question};
use pseud_proto::{PeerError, Reason};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// What came of telling a link something; see [`StreamLink::settle`]. Apart, so that the buffer that was
/// read into is free again before a handler runs.
#[derive(Debug)]
#[must_use = "callers and handlers wait in it"]
pub struct Ingest {
    pub(super) effects: Effects,
    /// A session has begun: the rest of its coming.
    pub(super) newcomer: Option<Box<Newcomer>>,
    /// Somebody must be asked about the peer.
    pub(super) question: Option<Box<Question>>,
    /// The connection itself has something to say (a handshake's next step, a PONG).
    pub(super) answered: bool,
    /// Messages wait at the connection until these requests had their turn.
    pub(super) waits: bool,
    /// Callers were woken, whom the link's task lets have their say before it writes.
    pub(super) gathers: bool,
    /// A message came.
    spoke: bool,
    /// A frame is partial that may be read to its own place.
    pub(super) may_be_large: bool,
    /// When it was told.
    pub(super) at: Option<Instant>,
    pub(super) result: Result<(), PeerError>,
}

impl<W: Writer> StreamLink<W> {
    /// Bytes were read. All of them are taken.
    pub fn handle_input(self: &Arc<Self>, input: &mut [u8]) -> Ingest {
        let bytes = input.len();
        self.feed(|connection, now| {
            self.activity.receive(bytes, false, self.hub().born(), now);
            connection.handle_input(input, now)
        })
    }

    /// Bytes were read. Some of them are taken, and looked at where they lie: how many is told. What comes of
    /// them is in `fed`.
    pub(super) fn handle_some(self: &Arc<Self>, input: &mut [u8], fed: &mut Ingest) -> usize {
        let (size, mut rest) = (input.len(), input);
        let mut connection = self.lock();
        let at = self.hub().now();
        if self.is_open() && connection.receives_in_place() {
            let mut opened = OpenedMessages::default();
            self.hand_over(&mut connection, (&mut opened, &mut rest), Ok(()), at, fed);
        } else {
            let (mut opened, told) = connection.open_some(&mut rest, OPENED_MAX, at);
            let nothing = &mut Default::default();
            self.hand_over(&mut connection, (&mut opened, nothing), told, at, fed);
            if !opened.is_empty() {
                // Until its session takes messages, the connection keeps them.
                connection.keep_opened(&mut opened);
            }
        }
        // Behind an error nothing is looked at.
        let taken = if fed.result.is_err() { size } else { size - rest.len() };
        self.activity.receive(taken, fed.spoke, self.hub().born(), at);
        taken
    }

    /// Whether there is a session that takes what comes.
    fn is_open(&self) -> bool {
        self.seat.get().is_some() && !self.is_joining.load(Ordering::Acquire)
    }

    /// The requests that were read before had their turn: those that wait have theirs.
    pub(super) fn handle_waiting(self: &Arc<Self>) -> Ingest {
        self.feed(|connection, now| connection.handle_waiting(now))
    }

    /// The stream ended: the link closes. An error inside the handshake, or inside a message.
    pub fn handle_eof(self: &Arc<Self>) -> Ingest {
        let fed = self.feed(|connection, _| connection.handle_eof());
        if fed.result.is_ok() {
            // A peer that says no more takes no more either: ZMTP knows no half-closed link.
            let _ = self.closing.set(Box::new(Reason::PeerGone));
        }
        fed
    }

    /// While a large frame is partial: lets `read` read straight into it.
    pub fn read_large<R>(&self, read: impl FnOnce(&mut Connection) -> Option<R>) -> Option<R> {
        read(self.lock().zmtp()?)
    }

    /// So many bytes were read straight into a large frame.
    pub fn handle_filled(self: &Arc<Self>, bytes: usize) -> Ingest {
        self.feed(|connection, now| {
            self.activity.receive(bytes, false, self.hub().born(), now);
            connection.handle_filled(now)
        })
    }

    /// The link's deadline has passed: an error if the peer was too slow, or silent for too long.
    pub fn handle_timeout(self: &Arc<Self>) -> Ingest {
        self.feed(|connection, now| connection.handle_timeout(now))
    }

    /// Tells the connection something and hands what comes of it to the session.
    pub(super) fn feed(
        self: &Arc<Self>,
        tell: impl FnOnce(&mut Carrier, Instant) -> Result<(), PeerError>,
    ) -> Ingest {
        let mut connection = self.lock();
        let at = self.hub().now();
        let told = tell(&mut connection, at);
        let mut fed = Ingest::default();
        let (mut opened, mut rest) = Default::default();
        self.hand_over(&mut connection, (&mut opened, &mut rest), told, at, &mut fed);
        if fed.spoke {
            // It was kept since it was read: it counts, as its peer's being heard, from its turn on.
            self.activity.receive(0, true, self.hub().born(), at);
        }
        fed
    }

    /// Hands what was opened, what the connection was told, and what `input` holds, to the session.
    fn hand_over(
        self: &Arc<Self>,
        connection: &mut Carrier,
        input: (&mut OpenedMessages<'_>, &mut &mut [u8]),
        told: Result<(), PeerError>,
        at: Instant,
        fed: &mut Ingest,
    ) {
        // What came before an error has its turn now or never.
        let mut heard = ExchangeFindings { all: told.is_err(), ..ExchangeFindings::default() };
        fed.begin(at);
        let Ingest { effects, gathers, .. } = fed;
        let handled = match self.seat.get() {
            None => self.greet(connection, &mut heard, at),
            Some(_) if self.is_joining.load(Ordering::Acquire) => Ok(()),
            Some(seat) => {
                seat.visit_into(effects, |session, noted| {
                    let handled = self.exchange(connection, input, session, noted, &mut heard, at);
                    session.note_partial(connection.partial_bytes());
                    *gathers = noted.effects.callers() > 1;
                    if *gathers {
                        // Under the lock: whoever calls next finds that the link's task will flush.
                        self.wants_flush.store(true, Ordering::Release);
                    }
                    handled
                })
            }
        };
        if heard.newcomer.is_some()
            && let Some(bounds) = connection.without_pings()
        {
            self.writer.keep_alive(bounds);
        }
        fed.spoke = heard.spoke;
        fed.may_be_large = connection.may_be_large();
        fed.answered = connection.backlog() > 0;
        (fed.newcomer, fed.question, fed.waits) = (heard.newcomer, heard.question, heard.waits);
        fed.result = handled.and(told);
    }
}

impl Default for Ingest {
    fn default() -> Self {
        let (newcomer, question, at) = (None, None, None);
        let (answered, waits, gathers, spoke, may_be_large) = (false, false, false, false, false);
        let (effects, result) = (Effects::default(), Ok(()));
        Self {
            effects,
            newcomer,
            question,
            answered,
            waits,
            gathers,
            spoke,
            may_be_large,
            at,
            result,
        }
    }
}

impl Ingest {
    /// Of a moment at which nothing came.
    pub(super) fn of(at: Instant, result: Result<(), PeerError>) -> Self {
        Self { at: Some(at), result, ..Self::default() }
    }

    /// The next one; what came of the one before was [settled](StreamLink::settle).
    fn begin(&mut self, at: Instant) {
        self.effects.begin();
        (self.at, self.gathers) = (Some(at), false);
    }
}
