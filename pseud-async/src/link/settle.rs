//! What came of telling a link something is done: callers are woken, handlers run, questions asked.

use super::StreamLink;
use super::feed::Ingest;
use crate::auth::admission;
use crate::engine::any_link::AnyLink;
use crate::runtime::Writer;
use crate::serve::busy::CalledMethods;
use pseud_proto::PeerError;
use pseud_proto::zmtp::{Question, Verdict};
use std::sync::Arc;
use std::sync::atomic::Ordering;

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
}

impl<W: Writer> StreamLink<W> {
    /// Does what came of it: wakes callers, runs handlers and asks about a stranger; each is polled
    /// once.
    ///
    /// # Errors
    /// The peer broke the protocol: write what is left, then close.
    pub fn settle(self: &Arc<Self>, mut fed: Ingest) -> Result<(), PeerError> {
        while self.settle_portion(fed)?.waits {
            fed = self.handle_waiting();
        }
        Ok(())
    }

    /// The same; messages may wait, to be [looked at](Self::handle_waiting) after this.
    pub(super) fn settle_portion(self: &Arc<Self>, fed: Ingest) -> Result<Settled, PeerError> {
        let (mut settled, mut fed) = (Settled::default(), Some(fed));
        while let Some(Ingest {
            mut effects,
            newcomer,
            question,
            answered,
            waits,
            gathers,
            at: _,
            result,
        }) = fed.take()
        {
            settled.waits |= waits;
            settled.gathers |= gathers;
            settled.requests += effects.requests();
            let mut arrived = effects.take_arrived();
            let login = arrived.login.take();
            settled.names.add(&arrived.requests);
            if let Some(newcomer) = newcomer {
                newcomer.complete();
                // What its peer has said meanwhile; what waits for it was not written before.
                let mut rest = self.feed(|connection, now| {
                    self.is_joining.store(false, Ordering::Release);
                    connection.handle_waiting(now)
                });
                rest.result = result.and(rest.result);
                rest.answered = true;
                fed = Some(rest);
                continue;
            }
            let mut flush_here = answered;
            if let Some(seat) = self.seat.get() {
                flush_here |= seat.perform(effects, true);
                flush_here |= self.host.dispatcher.serve_all(arrived, seat);
                if login.is_some() {
                    self.hub().asks_about(seat);
                }
            }
            if flush_here {
                self.wants_flush.store(true, Ordering::Release);
            }
            result?;
            fed = question.or(login).and_then(|question| self.ask(question));
        }
        Ok(settled)
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
