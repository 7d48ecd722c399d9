//! The end of a session, and what ends with time.

use crate::base::slab::Key;
use crate::call::{Outcome, RequestId};
use crate::error::{Executed, Misbehaved, PeerError, Reason};
use crate::rpc::session::Session;
use crate::rpc::session::output::Output;
use crate::rpc::session::replay_window::Seen;
use crate::rpc::session::sink::Sink;
use crate::rpc::stats::Counted;
use std::time::Instant;

impl Session {
    /// Time has passed: calls whose deadline is over end, replies that would come too late are
    /// dropped. Cheap if nothing is due.
    pub fn handle_timeout(&mut self, now: Instant, sink: &mut impl Sink) {
        if self.ended.is_some() {
            return;
        }
        if self.calls.next().is_some_and(|next| next <= now) {
            self.end_overdue_calls(now, sink);
        }
        self.pass_guards(now, sink);
        if self.login_by().is_some_and(|by| by <= now) {
            self.close(PeerError::from(Misbehaved::NotLoggedIn).into(), sink);
        }
    }

    /// Its link is gone. Its calls end at once, for that reason: `NotExecuted` if they were never whole
    /// on the wire, else `Unknown`. So report first what was written, and write nothing of it after.
    pub fn handle_gone(&mut self, reason: Reason, sink: &mut impl Sink) {
        self.end(reason, Self::executed_when_gone, sink);
    }

    /// Ends it while its link lives: its driver may be writing at this moment, so what was pulled may
    /// yet arrive.
    pub fn close(&mut self, reason: Reason, sink: &mut impl Sink) {
        self.end(reason, Self::executed, sink);
    }

    fn end(
        &mut self,
        reason: Reason,
        executed: fn(&Self, Key) -> Option<Executed>,
        sink: &mut impl Sink,
    ) {
        if self.ended.is_some() {
            return;
        }
        self.ended = Some(Box::new(reason));
        if reason == PeerError::from(Misbehaved::NotLoggedIn).into() {
            sink.count(Counted::LoginMissed);
        }
        for call in self.calls.keys() {
            let Some(executed) = executed(self, call) else { continue };
            let outcome = match (reason, executed) {
                (Reason::Shutdown, executed) => Outcome::Closed { executed },
                (reason, Executed::No) => Outcome::NotExecuted(reason),
                (reason, Executed::Maybe) => Outcome::Unknown(reason),
            };
            self.finish(call, outcome, sink);
        }
        for number in self.requests.numbers() {
            sink.cancelled(RequestId { peer: self.id, number });
        }
        self.release();
    }

    /// Gives back all that it has taken, but the places of requests that are served: those are taken as
    /// long as somebody works for them.
    fn release(&mut self) {
        self.budget.give_calls(self.calls.len());
        for key in self.calls.keys() {
            self.calls.remove(key);
        }
        self.output = Output::default();
        self.charge_output();
        self.note_partial(0);
        self.late.written(u64::MAX);
        self.seen = Seen::default();
        (self.heard, self.login, self.showing) = (None, None, None);
        self.note_owing();
        self.budget.left();
    }
}

/// What is served yet is answered to nobody; one that is dropped without an end gives back what it has
/// taken, too.
impl Drop for Session {
    fn drop(&mut self) {
        if self.ended.is_none() {
            self.ended = Some(Box::new(Reason::PeerGone));
            self.release();
        }
        self.give_back(self.requests_open(), self.requests_open_bytes());
    }
}
