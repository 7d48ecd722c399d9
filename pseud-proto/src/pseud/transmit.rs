//! Queues: one for each peer, filled by the machine, pulled by whoever holds that link.

use super::calls::Sending;
use super::endpoint::Endpoint;
use super::requests::Progress;
use super::session::Queued;
use super::stats::Dropped;
use super::wire::{Kind, Transmit, WireId};
use crate::call::{Action, CallId, Outcome, PeerId, RequestId};
use crate::error::Reason;
use crate::peer::Profile;
use crate::value::Packed;
use bytes::Bytes;
use smol_str::SmolStr;
use std::time::Instant;

impl Endpoint {
    pub(super) fn enqueue(&mut self, peer: PeerId, entry: Queued) {
        let Some(session) = self.sessions.get_mut(peer.0) else { return };
        let limits = &self.config.limits;
        session.queue.push(entry);
        if session.queue.bytes() > limits.queue_bytes_hard_max
            && session.queue.size(&self.calls, limits).1 > limits.queue_bytes_hard_max
        {
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
            let profile = session.info.profile;
            let Some(entry) = session.queue.pop() else {
                session.flushing = false;
                return None;
            };
            let transmit = match entry {
                Queued::Call { call, name, body } => self.pull_call(call, name, body, profile),
                Queued::Reply { request, id, kind, body } => {
                    self.pull_reply(request, id, kind, body, profile, now)
                }
            };
            if transmit.is_some() {
                return transmit;
            }
        }
    }

    fn pull_call(
        &mut self,
        call: CallId,
        name: SmolStr,
        body: Packed,
        profile: Profile,
    ) -> Option<Transmit> {
        self.calls.get(call)?;
        if !body.is_v1_safe() {
            self.finish(call, Outcome::NotExecuted(Reason::Unsupported));
            return None;
        }
        let id = self.calls.pulled(call)?;
        let token = Sending::Call(call.0).into();
        let (name, body) = (Some(name), body.into_bytes());
        Some(Transmit { kind: Kind::Work, id, name, body, profile, token })
    }

    fn pull_reply(
        &mut self,
        request: RequestId,
        id: WireId,
        kind: Kind,
        body: Bytes,
        profile: Profile,
        now: Instant,
    ) -> Option<Transmit> {
        let guard = self.requests.get(request)?.guard;
        if guard.is_none_or(|guard| guard <= now) {
            self.requests.remove(request);
            self.stats.drop_for(Dropped::LateReply);
            return None;
        }
        self.requests.advance(request, Progress::Pulled);
        let token = Sending::Reply(request.0).into();
        Some(Transmit { kind, id, name: None, body, profile, token })
    }
}
