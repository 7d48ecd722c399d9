//! What a connection has read, into the session of its peer.

use super::StreamLink;
use super::carrier::Carrier;
use crate::engine::joining::Newcomer;
use crate::engine::noted::Noted;
use crate::runtime::Writer;
use pseud_proto::PeerError;
use pseud_proto::session::{Portion, Session};
use pseud_proto::zmtp::{Event, Question};
use std::time::Instant;

/// Requests that are handed to handlers together.
const PORTION_MAX: usize = 8;
/// Links that may have such portions at the same time: each has its thread.
const LINKS_AT_ONCE: usize = 64;

/// What an exchange finds.
#[derive(Debug, Default)]
pub(super) struct ExchangeFindings {
    pub(super) question: Option<Question>,
    pub(super) newcomer: Option<Newcomer>,
    /// A message came.
    pub(super) spoke: bool,
    pub(super) waits: bool,
    /// It is not to stop after some requests.
    pub(super) all: bool,
}

impl<W: Writer> StreamLink<W> {
    /// Moves the connection's events into the session. Messages behind one that ends the link are
    /// not looked at, whoever asks next.
    ///
    /// It stops after a few requests, until these were answered or have handlers that wait: so what is
    /// refused for want of a place is told by what runs, not by what was read.
    pub(super) fn exchange(
        &self,
        connection: &mut Carrier,
        session: &mut Session,
        noted: &mut Noted<'_>,
        portion: &mut Portion<'_>,
        heard: &mut ExchangeFindings,
        now: Instant,
    ) -> Result<(), PeerError> {
        let (mut result, mut room) = (Ok(()), None);
        while let Some(event) = connection.poll_event() {
            match event {
                Event::Message(parts) if result.is_ok() => {
                    heard.spoke = true;
                    result = noted.take(session, parts, portion, now);
                    let requests = noted.effects.requests();
                    if requests == 0 || heard.all {
                        continue;
                    }
                    let max = *room.get_or_insert_with(|| requests + self.room(session));
                    if requests >= max && connection.has_events() {
                        heard.waits = true;
                        break;
                    }
                }
                Event::TooLarge(large) if result.is_ok() => {
                    result = session.handle_too_large(&large, now, noted);
                }
                Event::Written(token) => session.handle_written(token),
                _ => {}
            }
        }
        heard.waits |= result.is_ok() && connection.has_waiting();
        result
    }

    /// How many requests may come to those that are open: as many as there are certainly places for, a few
    /// at most. Who reads more than that reads them later.
    fn room(&self, session: &Session) -> usize {
        let hub = self.hub();
        let limits = &hub.config.limits;
        let own = limits.requests_open_per_peer_max.saturating_sub(session.requests_open());
        let max = limits.requests_open_max;
        let all = (max - max / 4).saturating_sub(hub.budget.taken().requests) / LINKS_AT_ONCE;
        own.min(all).min(PORTION_MAX - 1)
    }
}
