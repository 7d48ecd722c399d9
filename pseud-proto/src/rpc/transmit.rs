//! Queues: one for each peer, filled by the machine, pulled by whoever holds that link.

use crate::call::{Action, CallId, Outcome, PeerId, RequestId};
use crate::dialect::Claim;
use crate::dialect::WireId;
use crate::dialect::{Answer, Transmit};
use crate::error::Reason;
use crate::rpc::calls::Sending;
use crate::rpc::endpoint::Endpoint;
use crate::rpc::requests::Progress;
use crate::rpc::session::Queued;
use crate::value::Packed;
use smol_str::SmolStr;
use std::time::Instant;

impl Endpoint {
    pub(crate) fn enqueue(&mut self, peer: PeerId, entry: Queued) {
        let Some(session) = self.sessions.get_mut(peer.0) else { return };
        let max = self.config.limits.queue_bytes_hard_max;
        session.queue.push(entry);
        if session.queue.is_over(max) {
            return self.close(peer, Reason::SlowPeer);
        }
        if !std::mem::replace(&mut session.flushing, true) {
            self.actions.push_back(Action::Flush(peer));
        }
    }

    /// The next message for that peer. What no longer makes sense (a call that is over, a reply
    /// that would come too late) is skipped here.
    pub fn poll_transmit(&mut self, peer: PeerId, now: Instant) -> Option<Transmit> {
        loop {
            let session = self.sessions.get_mut(peer.0)?;
            let Some(entry) = session.queue.pop(&self.calls) else {
                session.flushing = false;
                return None;
            };
            let transmit = match entry {
                Queued::Call { call, name, body, claim } => {
                    self.pull_call(peer, call, name, body, &claim)
                }
                Queued::Reply { request, id, answer } => self.pull_reply(request, id, answer, now),
            };
            if transmit.is_some() {
                return transmit;
            }
        }
    }

    fn pull_call(
        &mut self,
        peer: PeerId,
        call: CallId,
        name: SmolStr,
        body: Packed,
        claim: &Claim,
    ) -> Option<Transmit> {
        let profile = self.profile(peer);
        let harmless = self.risk(peer, profile, &body).is_none();
        let id = WireId::new(&self.calls.get(call)?.id)?;
        // Also one that will not go: it is in no queue any more.
        self.calls.pulled(call);
        let token = Sending::Call(call.0).into();
        match Transmit::work(id, name, body, claim, profile, harmless, token) {
            Ok(transmit) => Some(transmit),
            Err(reason) => {
                self.finish(call, Outcome::NotExecuted(reason));
                None
            }
        }
    }

    fn pull_reply(
        &mut self,
        request: RequestId,
        id: WireId,
        answer: Answer,
        now: Instant,
    ) -> Option<Transmit> {
        if !self.requests.get(request)?.guard.lets_pass(now) {
            self.withhold(request);
            return None;
        }
        self.requests.advance(request, Progress::Pulled);
        Some(Transmit::answer(id, answer, Sending::Reply(request.0).into()))
    }
}
