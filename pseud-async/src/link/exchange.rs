//! What a connection has read, into the session of its peer.

use super::StreamLink;
use super::carrier::Carrier;
use super::turn::TOGETHER_MAX;
use crate::engine::joining::Newcomer;
use crate::engine::noted::Noted;
use crate::runtime::Writer;
use pseud_proto::PeerError;
use pseud_proto::session::{Portion, Session};
use pseud_proto::zmtp::{Event, Incoming, OpenedMessages, Question};
use std::time::Instant;

/// Sealed messages that are opened before they are looked at under a lock, at most.
pub(super) const OPENED_MAX: usize = TOGETHER_MAX as usize - 1;
/// Input that is longer may hold several requests, whose places are taken together.
const SEVERAL_BYTES: usize = 256;
/// Messages that are looked at under one lock, at most.
const MESSAGES_MAX: usize = 32;
/// Links that may have such portions at the same time: each has its thread.
const LINKS_AT_ONCE: usize = 64;

/// What an exchange finds.
#[derive(Debug, Default)]
pub(super) struct ExchangeFindings {
    pub(super) question: Option<Box<Question>>,
    pub(super) newcomer: Option<Box<Newcomer>>,
    /// A message came.
    pub(super) spoke: bool,
    pub(super) waits: bool,
    /// It is not to stop after some requests.
    pub(super) all: bool,
}

impl<W: Writer> StreamLink<W> {
    /// Tells the session what was written and what came: first what was opened, then what the connection has
    /// kept, then what `input` holds, which is looked at where it lies, and cut off. Messages behind one that ends the link are
    /// not looked at, whoever asks next.
    ///
    /// It stops after a few requests, until these were answered or have handlers that wait: so what is
    /// refused for want of a place is told by what runs, not by what was read.
    pub(super) fn exchange(
        &self,
        connection: &mut Carrier,
        (opened, input): (&mut OpenedMessages<'_>, &mut &mut [u8]),
        session: &mut Session,
        noted: &mut Noted<'_>,
        heard: &mut ExchangeFindings,
        now: Instant,
    ) -> Result<(), PeerError> {
        let budget = &self.hub().budget;
        let portion = &mut match opened.len() + input.len() > SEVERAL_BYTES {
            true => Portion::take(budget),
            false => Portion::exact(budget),
        };
        self.report_written(connection, session, noted, now);
        let (mut room, mut messages) = (None, 0);
        loop {
            let incoming = match opened.receive() {
                Some(message) => Incoming::Message(message),
                None => match connection.receive(input, now)? {
                    Some(incoming) => incoming,
                    None => break,
                },
            };
            let is_message = match &incoming {
                Incoming::Event(event) => matches!(event, Event::Message(_)),
                _ => true,
            };
            let taken = match incoming {
                Incoming::Message(message) => noted.take_received(session, message, portion, now),
                Incoming::Event(Event::Message(parts)) => noted.take(session, parts, portion, now),
                Incoming::Event(event) => take_event(event, session, noted, now),
                _ => Ok(()),
            };
            heard.spoke |= is_message;
            if taken.is_err() {
                *opened = OpenedMessages::default();
                while connection.poll_event().is_some() {}
                return taken;
            }
            messages += usize::from(is_message);
            // Most reads bring one message: nothing is asked for behind it.
            if input.is_empty() && connection.is_drained() {
                break;
            }
            if heard.all {
                continue;
            }
            let requests = noted.effects.requests();
            let is_enough = requests > 0
                && requests >= *room.get_or_insert_with(|| requests + self.room(session));
            if is_enough || messages == MESSAGES_MAX {
                heard.waits = connection.has_events() || !opened.is_empty();
                break;
            }
        }
        heard.waits |= connection.has_waiting();
        Ok(())
    }

    /// How many requests may come to those that are open: as many as there are certainly places for, a few
    /// at most. Who reads more than that reads them later.
    fn room(&self, session: &Session) -> usize {
        let hub = self.hub();
        let limits = &hub.config.limits;
        let own = limits.requests_open_per_peer_max.saturating_sub(session.requests_open());
        let max = limits.requests_open_max;
        let all = (max - max / 4).saturating_sub(hub.budget.requests()) / LINKS_AT_ONCE;
        own.min(all).min(self.together.max() - 1)
    }
}

/// What else than messages came.
fn take_event(
    event: Event,
    session: &mut Session,
    noted: &mut Noted<'_>,
    now: Instant,
) -> Result<(), PeerError> {
    match event {
        Event::TooLarge(large) => session.handle_too_large(&large, now, noted),
        Event::Written(token) => {
            session.handle_written(token);
            Ok(())
        }
        _ => Ok(()),
    }
}
