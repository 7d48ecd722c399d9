//! What waits for this peer, handed to whoever holds its link.

use crate::call::dropped::Dropped;
use crate::dialect::Transmit;
use crate::error::Reason;
use crate::message::framed::Framed;
use crate::message::outgoing::Token;
use crate::rpc::session::Session;
use crate::rpc::session::entry::Of;
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
        let transmit = match self.skip_late(now, sink) {
            true => self.output.pop(&self.calls),
            false => None,
        };
        self.charge_output();
        transmit
    }

    /// Hands messages to `send`, several at once, as long as that wants more; all that it was handed may
    /// leave, whatever it says. Says whether it did not want all.
    pub fn pull(
        &mut self,
        now: Instant,
        sink: &mut impl Sink,
        mut send: impl FnMut(Framed<'_>, Token) -> bool,
    ) -> bool {
        let mut wants_more = true;
        while wants_more
            && self.skip_late(now, sink)
            && let Some(run) = self.output.run(&self.calls, now)
        {
            wants_more = self.output.hand_over(run, &self.calls, &mut send);
        }
        self.charge_output();
        !wants_more
    }

    /// Whether there is a message, once replies that would come too late are gone from the front.
    fn skip_late(&mut self, now: Instant, sink: &mut impl Sink) -> bool {
        while let Some(entry) = self.output.front() {
            let end = match entry.of {
                Of::Reply(guard) if !guard.lets_pass(now) => entry.end,
                Of::Call(_) | Of::Reply(_) => return true,
            };
            // Where its moment was noticed before, that was told then.
            if let Some(name) = self.late.withhold(end) {
                sink.count(Counted::Dropped(Dropped::LateReply));
                sink.withheld(&self.info, &name);
            }
            self.output.skip(&self.calls);
        }
        self.flushing = false;
        false
    }

    /// All messages up to the one of that token ([`Transmit::token`]) were written whole.
    pub fn handle_written(&mut self, Token(position): Token) {
        let written = self.output.written_to(position);
        self.late.written(written);
        if self.owes {
            self.note_owing();
        }
    }
}
