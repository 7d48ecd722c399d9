//! What waits for this peer, handed to whoever holds its link.

use crate::base::slab::Key;
use crate::call::Outcome;
use crate::call::dropped::Dropped;
use crate::dialect::{Answer, Transmit, WireId};
use crate::error::Reason;
use crate::message::outgoing::{Outgoing, Token};
use crate::rpc::session::Session;
use crate::rpc::session::entry::{Outbound, Queued};
use crate::rpc::session::late::Guard;
use crate::rpc::session::sink::Sink;
use crate::rpc::stats::Counted;
use std::time::Instant;

impl Session {
    /// Something was queued. A peer that does not read is closed.
    pub(crate) fn queued(&mut self, sink: &mut impl Sink) {
        self.charge_output();
        if self.output.is_over(self.config.limits.queue_bytes_hard_max) {
            return self.close(Reason::SlowPeer, sink);
        }
        if !std::mem::replace(&mut self.flushing, true) {
            sink.flush();
        }
    }

    /// The next message for this peer; from here on its bytes may leave. What no longer makes sense (a
    /// call that is over, a reply that would come too late) is skipped here.
    pub fn poll_transmit(&mut self, now: Instant, sink: &mut impl Sink) -> Option<Transmit> {
        if !self.flushing {
            return None;
        }
        let transmit = self.next_transmit(now, sink);
        self.charge_output();
        transmit
    }

    /// Hands messages to `send`, as long as that wants more. Says whether it did not want all.
    pub fn pull(
        &mut self,
        now: Instant,
        sink: &mut impl Sink,
        mut send: impl FnMut(Outgoing<'_>, Token) -> bool,
    ) -> bool {
        let mut wants_more = true;
        while wants_more && let Some(transmit) = self.next_transmit(now, sink) {
            wants_more = transmit.with(&mut send);
        }
        self.charge_output();
        !wants_more
    }

    fn next_transmit(&mut self, now: Instant, sink: &mut impl Sink) -> Option<Transmit> {
        loop {
            let Some(entry) = self.output.pop(&self.calls) else {
                self.flushing = false;
                return None;
            };
            let transmit = match entry.queued {
                Queued::Call { key, outbound } => self.pull_call(key, outbound, entry.end, sink),
                Queued::Reply { id, answer, guard } => {
                    self.pull_reply(id, answer, guard, entry.end, now, sink)
                }
            };
            if transmit.is_some() {
                return transmit;
            }
        }
    }

    fn pull_call(
        &mut self,
        key: Key,
        outbound: Outbound,
        end: u64,
        sink: &mut impl Sink,
    ) -> Option<Transmit> {
        let id = WireId::new(self.calls.get(key)?.id.as_bytes())?;
        let Outbound { name, body, claim } = outbound;
        let (profile, is_harmless) = (self.profile(), self.risk(&body).is_none());
        match Transmit::work(id, name, body, &claim, profile, is_harmless, Token(end)) {
            Ok(transmit) => Some(transmit),
            Err(reason) => {
                self.finish(key, Outcome::NotExecuted(reason), sink);
                None
            }
        }
    }

    fn pull_reply(
        &mut self,
        id: WireId,
        answer: Answer,
        guard: Guard,
        end: u64,
        now: Instant,
        sink: &mut impl Sink,
    ) -> Option<Transmit> {
        if guard.lets_pass(now) {
            return Some(Transmit::answer(id, answer, Token(end)));
        }
        // Where its moment was noticed before, that was told then.
        if let Some(name) = self.late.withhold(end) {
            sink.count(Counted::Dropped(Dropped::LateReply));
            sink.withheld(&self.info, &name);
        }
        None
    }

    /// All messages up to the one of that token ([`Transmit::token`]) were written whole.
    pub fn handle_written(&mut self, Token(position): Token) {
        let written = self.output.written_to(position);
        self.late.written(written);
    }
}
