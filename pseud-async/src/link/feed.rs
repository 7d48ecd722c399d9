//! A link's way in: bytes, timeouts and the stream's end are told to its connection, and what comes of them
//! to its session.

use super::StreamLink;
use super::carrier::Carrier;
use super::exchange::ExchangeFindings;
use crate::engine::effects::Effects;
use crate::engine::joining::Newcomer;
use crate::runtime::Writer;
use pseud_proto::session::Portion;
use pseud_proto::zmtp::{Connection, Question};
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
    pub(super) newcomer: Option<Newcomer>,
    /// Somebody must be asked about the peer.
    pub(super) question: Option<Question>,
    /// The connection itself has something to say (a handshake's next step, a PONG).
    pub(super) answered: bool,
    /// Messages wait at the connection until these requests had their turn.
    pub(super) waits: bool,
    /// Callers were woken, whom the link's task lets have their say before it writes.
    pub(super) gathers: bool,
    /// When it was told.
    pub(super) at: Instant,
    pub(super) result: Result<(), PeerError>,
}

impl<W: Writer> StreamLink<W> {
    /// Bytes were read. All of them are taken.
    pub fn handle_input(self: &Arc<Self>, input: &mut [u8]) -> Ingest {
        let bytes = input.len();
        self.feed(|connection, now| {
            self.activity.receive(bytes);
            self.activity.hear(now);
            connection.handle_input(input, now)
        })
    }

    /// Bytes were read. Some of them are taken, at least one: how many is told.
    pub(super) fn handle_some(self: &Arc<Self>, input: &mut [u8]) -> (Ingest, usize) {
        let mut taken = input.len();
        let fed = self.feed(|connection, now| {
            taken = connection.handle_some(input, now)?;
            self.activity.receive(taken);
            self.activity.hear(now);
            Ok(())
        });
        (fed, taken)
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
            let _ = self.closing.set(Reason::PeerGone);
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
            self.activity.receive(bytes);
            self.activity.hear(now);
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
        let hub = self.hub();
        let at = hub.now();
        let told = tell(&mut connection, at);
        // What came before an error has its turn now or never.
        let mut heard = ExchangeFindings { all: told.is_err(), ..ExchangeFindings::default() };
        let mut fed = Ingest::of(at, Ok(()));
        let handled = match self.seat.get() {
            None => self.greet(&mut connection, &mut heard, at),
            Some(_) if self.is_joining.load(Ordering::Acquire) => Ok(()),
            Some(seat) => {
                let mut portion = Portion::exact(&hub.budget);
                let (handled, effects) = seat.visit(|session, noted| {
                    let handled = self.exchange(
                        &mut connection,
                        session,
                        noted,
                        &mut portion,
                        &mut heard,
                        at,
                    );
                    fed.gathers = noted.effects.callers() > 1;
                    if fed.gathers {
                        // Under the lock: whoever calls next finds that the link's task will flush.
                        self.wants_flush.store(true, Ordering::Release);
                    }
                    handled
                });
                fed.effects = effects;
                handled
            }
        };
        if heard.newcomer.is_some()
            && let Some(bounds) = connection.without_pings()
        {
            self.writer.keep_alive(bounds);
        }
        if heard.spoke {
            self.activity.speak(at);
        }
        fed.answered = connection.backlog() > 0;
        (fed.newcomer, fed.question, fed.waits) = (heard.newcomer, heard.question, heard.waits);
        fed.result = handled.and(told);
        fed
    }
}

impl Ingest {
    /// Of a moment at which nothing came.
    pub(super) fn of(at: Instant, result: Result<(), PeerError>) -> Self {
        let (newcomer, question) = (None, None);
        let (answered, waits, gathers) = (false, false, false);
        let effects = Effects::default();
        Self { effects, newcomer, question, answered, waits, gathers, at, result }
    }
}
