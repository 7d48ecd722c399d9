//! The duty to answer.

use crate::handler::Answer;
use crate::hub::{Hub, Inner};
use atomic_waker::AtomicWaker;
use pseud_proto::pseud::Endpoint;
use pseud_proto::{Refusal, Ticket};
use std::sync::Arc;
use std::time::Instant;

/// The duty to answer one request, once. Dropped without an answer (its task was killed, or nobody
/// waits any more), it tells the caller so.
#[derive(Debug)]
pub(crate) struct Responder {
    pub(crate) hub: Arc<Hub>,
    ticket: Option<Ticket>,
    size: usize,
}

impl Responder {
    /// Of a request whose message has that size.
    pub(crate) fn new(hub: &Arc<Hub>, ticket: Ticket, size: usize) -> Self {
        hub.running.begin(size);
        Self { hub: hub.clone(), ticket: Some(ticket), size }
    }

    pub(crate) fn answer(mut self, answer: Answer) {
        self.end(|endpoint, ticket, now| endpoint.reply(ticket, answer, now));
    }

    /// No handler was run.
    pub(crate) fn refuse(mut self, refusal: &Refusal) {
        self.end(|endpoint, ticket, now| endpoint.refuse(ticket, refusal, now));
    }

    fn end(&mut self, end: impl FnOnce(&mut Endpoint, Ticket, Instant)) {
        let Some(ticket) = self.ticket.take() else { return };
        let (waiting, effects) = self.hub.with(|inner, now| {
            let waiting = inner.not_cancelled(&ticket);
            end(&mut inner.endpoint, ticket, now);
            waiting
        });
        effects.run(&self.hub, None);
        waiting.iter().for_each(|waker| waker.wake());
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.hub.running.end(self.size);
        self.end(|endpoint, ticket, now| endpoint.abandon(ticket, now));
    }
}

impl Inner {
    /// A request is about to be answered: who waits to hear that nobody waits for that any more.
    pub(crate) fn not_cancelled(&mut self, ticket: &Ticket) -> Vec<Arc<AtomicWaker>> {
        let waiting = self.cancelling.remove(&ticket.request());
        waiting.map(|mut crowd| crowd.leave()).unwrap_or_default()
    }
}
