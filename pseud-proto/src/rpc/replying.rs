//! Answers of ours: at most one for each request, and none that would come too late.

use crate::call::dropped::Dropped;
use crate::call::profile::Profile;
use crate::call::{Action, PeerId, RequestId, Ticket};
use crate::dialect::{Answer, judge_result, judge_values};
use crate::error::{Fault, Refusal};
use crate::rpc::endpoint::Endpoint;
use crate::rpc::requests::Progress;
use crate::rpc::session::{QUEUED_COST, Queued};
use crate::value::Packed;
use std::time::Instant;

impl Endpoint {
    /// Answers a request. It is dropped, and counted, where nobody waits for it: the session has
    /// ended, or a v1 caller has given up (its reader would die of it).
    pub fn reply(&mut self, ticket: Ticket, result: Result<Packed, Fault>, now: Instant) {
        let Some(peer) = self.awaited(&ticket, now) else { return };
        let (profile, room) = (self.profile(peer), self.room(peer));
        let result = result.and_then(|packed| self.result(peer, packed, profile, room));
        let answer = result.unwrap_or_else(|fault| self.fault(&fault, profile));
        self.enqueue_reply(ticket.0, answer);
    }

    /// Answers a request whose handler was not run: its caller is told so, as far as it reads that.
    /// Dropped where nobody waits for it, as a [`reply`](Self::reply) is.
    pub fn refuse(&mut self, ticket: Ticket, refusal: &Refusal, now: Instant) {
        let Some(peer) = self.awaited(&ticket, now) else { return };
        self.stats.requests_refused += 1;
        self.enqueue_reply(ticket.0, Answer::refusal(refusal, self.profile(peer)));
    }

    /// Who waits for the answer to that request; what nobody waits for is closed and counted here.
    fn awaited(&mut self, ticket: &Ticket, now: Instant) -> Option<PeerId> {
        match self.requests.get(ticket.0) {
            Some(open) if open.guard.lets_pass(now) => return Some(open.peer),
            Some(_) => self.withhold(ticket.0),
            None if !self.requests.owns(ticket.0) => {}
            None => self.stats.drop_for(Dropped::CallerGone),
        }
        None
    }

    /// An answer is not sent: it comes later than its caller's reader may survive.
    pub(crate) fn withhold(&mut self, request: RequestId) {
        self.stats.drop_for(Dropped::LateReply);
        self.tell_withheld(request);
        self.close_request(request);
    }

    pub(crate) fn tell_withheld(&mut self, request: RequestId) {
        let Some(open) = self.requests.get(request) else { return };
        let Some(session) = self.sessions.get(open.peer.0) else { return };
        let (caller, name) = (session.info.clone(), open.name.to_string());
        self.actions.push_back(Action::Withheld { caller, name });
    }

    /// How many bytes of a result that peer's queue takes. An empty one takes any.
    fn room(&self, peer: PeerId) -> usize {
        let max = self.config.limits.queue_bytes_hard_max;
        self.sessions.get(peer.0).map_or(usize::MAX, |session| match session.queue.is_empty() {
            true => usize::MAX,
            false => max.saturating_sub(session.queue.bytes_behind() + QUEUED_COST),
        })
    }

    fn result(
        &self,
        peer: PeerId,
        result: Packed,
        profile: Profile,
        room: usize,
    ) -> Result<Answer, Fault> {
        judge_result(&result, self.config.limits.body_bytes_max)?;
        judge_values(&result, &self.config.limits.values)?;
        // A peer that asks for more than it reads loses that answer, not its link.
        if result.as_bytes().len() > room {
            let text = "the result does not fit into the queue to its caller";
            return Err(Fault::new("Overloaded", text));
        }
        let risk = self.risk(peer, profile, &result);
        Answer::result(result, profile, risk)
    }

    pub(crate) fn fault(&self, fault: &Fault, profile: Profile) -> Answer {
        Answer::fault(fault, profile, self.config.expose_traceback)
    }

    /// A handler ended without an answer: its caller is told so.
    pub fn abandon(&mut self, ticket: Ticket, now: Instant) {
        self.reply(ticket, Err(Fault::new("RuntimeError", "the handler gave no answer")), now);
    }

    pub(crate) fn enqueue_reply(&mut self, request: RequestId, answer: Answer) {
        let Some(open) = self.requests.advance(request, Progress::Answered) else { return };
        let (peer, id, bytes) = (open.peer, open.id, open.bytes);
        if let Some(session) = self.sessions.get_mut(peer.0) {
            session.requests_open -= 1;
            session.requests_open_bytes -= bytes;
        }
        self.enqueue(peer, Queued::Reply { request, id, answer });
    }

    fn close_request(&mut self, request: RequestId) {
        let Some(open) = self.requests.remove(request) else { return };
        if let Some(session) = self.sessions.get_mut(open.peer.0)
            && open.progress == Progress::Serving
        {
            session.requests_open -= 1;
            session.requests_open_bytes -= open.bytes;
        }
    }

    pub(crate) fn profile(&self, peer: PeerId) -> Profile {
        self.sessions.get(peer.0).map(|session| session.info.profile).unwrap_or_default()
    }
}
