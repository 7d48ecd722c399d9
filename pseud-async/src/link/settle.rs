//! What came of telling a link something is done: callers are woken, handlers run, questions asked.

use super::feed::Ingest;
use super::{Flushed, StreamLink};
use crate::auth::admission;
use crate::engine::any_link::AnyLink;
use crate::engine::joining::Newcomer;
use crate::runtime::Writer;
use crate::serve::busy::CalledMethods;
use pseud_proto::PeerError;
use pseud_proto::zmtp::{Question, Verdict};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// What came of a portion that was settled.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// Messages wait at the connection.
    pub(super) waits: bool,
    /// The link's task is to let callers have their say before it writes.
    pub(super) gathers: bool,
    /// Requests that were served, or whose handlers were begun.
    pub(super) requests: usize,
    /// What they call.
    pub(super) names: CalledMethods,
    /// When the last of their handlers had answered, or had to wait.
    pub(super) at: Option<Instant>,
    /// What was queued is written already: how far that went, and how many bytes.
    pub(super) flushed: Option<io::Result<(Flushed, usize)>>,
}

impl<W: Writer> StreamLink<W> {
    /// Does what came of it: wakes callers, runs handlers and asks about a stranger; each is polled
    /// once.
    ///
    /// # Errors
    /// The peer broke the protocol: write what is left, then close.
    pub fn settle(self: &Arc<Self>, mut fed: Ingest) -> Result<(), PeerError> {
        while self.settle_portion(&mut fed, None)?.waits {
            fed = self.handle_waiting();
        }
        Ok(())
    }

    /// The same; messages may wait, to be [looked at](Self::handle_waiting) after this. `flushes`: so many bytes may
    /// be written at once if there are answers, since nothing else is to go out with them.
    pub(super) fn settle_portion(
        self: &Arc<Self>,
        fed: &mut Ingest,
        flushes: Option<usize>,
    ) -> Result<Settled, PeerError> {
        let mut settled = Settled::default();
        loop {
            settled.waits |= fed.waits;
            settled.gathers |= fed.gathers;
            settled.requests += fed.effects.requests();
            if let Some(newcomer) = fed.newcomer.take() {
                *fed = self.complete(*newcomer, fed.result);
                continue;
            }
            let login = fed.effects.arrived.login.take();
            let mut flush_here = fed.answered;
            if let Some(seat) = self.seat.get() {
                flush_here |= seat.perform(&mut fed.effects, true);
                if fed.effects.requests() > 0 {
                    let arrived = fed.effects.take_arrived();
                    let served = self.host.dispatcher.serve_all(arrived, seat);
                    let now = served.at.unwrap_or_else(|| self.hub().now());
                    settled.names.extend(served.names);
                    settled.at = Some(now);
                    match flushes.filter(|_| !settled.waits && !settled.gathers) {
                        Some(max) if !served.answers.is_empty() && login.is_none() => {
                            settled.flushed = Some(self.answer_now(seat, served.answers, now, max));
                            flush_here = false;
                        }
                        _ => flush_here |= served.answers.deliver(seat, now),
                    }
                }
                if login.is_some() {
                    self.hub().asks_about(seat);
                }
            }
            if flush_here {
                self.wants_flush.store(true, Ordering::Release);
            }
            fed.result?;
            match fed.question.take().or(login).and_then(|question| self.ask(*question)) {
                Some(answered) => *fed = answered,
                None => return Ok(settled),
            }
        }
    }

    /// A session has begun: what its peer has said meanwhile. What waits for it was not written before.
    fn complete(self: &Arc<Self>, newcomer: Newcomer, result: Result<(), PeerError>) -> Ingest {
        newcomer.complete();
        let mut rest = self.feed(|connection, now| {
            self.is_joining.store(false, Ordering::Release);
            connection.handle_waiting(now)
        });
        rest.result = result.and(rest.result);
        rest.answered = true;
        rest
    }

    /// What an answer that came at once has led to.
    fn ask(self: &Arc<Self>, question: Question) -> Option<Ingest> {
        let link: Arc<dyn AnyLink> = self.clone();
        let verdict =
            admission::ask(self.host.hub(), &self.host.admissions, &link, question, &self.address)?;
        Some(self.answered(verdict))
    }

    /// Somebody has said whether the peer may come in, or is who it says.
    pub(super) fn answered(self: &Arc<Self>, verdict: Verdict) -> Ingest {
        let Some(seat) = self.seat.get() else {
            return self.feed(|connection, now| connection.answer(verdict, now));
        };
        self.hub().answer_login(seat, verdict);
        Ingest::of(self.hub().now(), Ok(()))
    }
}
