//! Calls of ours: judged, resolved, parked or queued, and ended once.

use crate::base::deadline::after;
use crate::call::profile::Profile;
use crate::call::{Action, CallId, CallOptions, Outcome, PeerId, Several, To};
use crate::dialect::NAME_BYTES_MAX;
use crate::dialect::work_size;
use crate::dialect::{Claim, ORIGIN_BYTES_MAX};
use crate::error::{CallRefused, Executed, Reason};
use crate::rpc::calls::Stage;
use crate::rpc::config::CALL_TIMEOUT_MAX;
use crate::rpc::endpoint::Endpoint;
use crate::rpc::parked::Awaited;
use crate::rpc::session::{Queued, remember};
use crate::value::Packed;
use bytes::Bytes;
use smol_str::SmolStr;
use std::time::Instant;

impl Endpoint {
    /// Calls `name` with those arguments (made by [`Packed::call`]). Its one outcome comes as an
    /// [`Action::Finish`], at the latest when its time-out is over.
    ///
    /// # Errors
    /// [`CallRefused`] at once, with nothing sent, where a limit of ours stands in the way.
    pub fn call(
        &mut self,
        to: To,
        name: &str,
        arguments: Packed,
        options: CallOptions,
        now: Instant,
    ) -> Result<CallId, CallRefused> {
        let claim = Claim { origin: options.origin, hops: options.hops };
        self.judge_call(name, &arguments, &claim)?;
        let target = self.resolve(to)?;
        self.judge_size(&target, name, &arguments, &claim)?;
        self.judge_risk(&target, &arguments)?;
        self.judge_room(&target)?;
        let timeout = options.timeout.unwrap_or(self.config.call_timeout).min(CALL_TIMEOUT_MAX);
        let deadline = after(now, timeout);
        let to_server = target.is_server(self.config.server.as_ref());
        let parked_until = match target {
            Target::Server(_) => deadline,
            Target::Session(_) | Target::Nobody(_) => after(now, self.config.unroutable_timeout),
        };
        let call = self.calls.insert(deadline, parked_until, to_server, &mut self.rng);
        self.stats.calls_made += 1;
        let entry = Queued::Call { call, name: SmolStr::new(name), body: arguments, claim };
        let in_vain = self.unreachable.is_final().filter(|_| to_server);
        self.send_or_park(call, target, entry, in_vain);
        Ok(call)
    }

    fn judge_call(&self, name: &str, arguments: &Packed, claim: &Claim) -> Result<(), CallRefused> {
        let limits = &self.config.limits;
        if name.is_empty() {
            return Err(CallRefused::NameEmpty);
        }
        if name.len() > NAME_BYTES_MAX {
            return Err(CallRefused::NameTooLong { size: name.len(), max: NAME_BYTES_MAX });
        }
        if !arguments.is_call() {
            return Err(CallRefused::Arguments("one value is no arguments".into()));
        }
        if let Some((size, max, what)) = arguments.over(&limits.values) {
            return Err(CallRefused::OverLimit { size, max, what });
        }
        if claim.hops > limits.hops_max {
            return Err(CallRefused::TooManyHops { max: limits.hops_max });
        }
        let origin = claim.origin.as_ref().map_or(0, |user| user.len());
        if origin > ORIGIN_BYTES_MAX {
            return Err(CallRefused::OriginTooLong { size: origin, max: ORIGIN_BYTES_MAX });
        }
        if self.calls.len() >= limits.calls_pending_max {
            return Err(CallRefused::TooManyPending { max: limits.calls_pending_max });
        }
        Ok(())
    }

    /// The session that a call to that would go to now; `None` where it would wait or be refused.
    pub fn session_of(&self, to: &To) -> Option<PeerId> {
        match self.resolve(to.clone()) {
            Ok(Target::Session(peer)) => Some(peer).filter(|peer| self.peer_info(*peer).is_some()),
            Ok(Target::Server(_) | Target::Nobody(_)) | Err(_) => None,
        }
    }

    fn resolve(&self, to: To) -> Result<Target, CallRefused> {
        let whom = match to {
            To::Peer(peer) => return Ok(Target::Session(peer)),
            To::Server => {
                let name = self.config.server.clone().ok_or(CallRefused::NoServer)?;
                let holder = self.names.holder(&name);
                holder.map_or(Target::Server(Awaited::RoutingId(name)), Target::Session)
            }
            To::Name(name) => Target::found(self.names.holder(&name), Awaited::RoutingId(name)),
            To::User { id, several } => {
                Target::found(self.session_of_user(&id, several)?, Awaited::User(id))
            }
            To::Known { id, several } => {
                let user = self.session_of_user(&id, several)?;
                Target::found(user.or_else(|| self.unauthenticated(&id)), Awaited::Known(id))
            }
        };
        match whom {
            Target::Server(whom) | Target::Nobody(whom) if whom.is_empty() => {
                Err(CallRefused::PeerNameEmpty)
            }
            whom => Ok(whom),
        }
    }

    /// A peer's own limit is known where its link stands; else it is judged when the call is sent.
    fn judge_size(
        &self,
        target: &Target,
        name: &str,
        arguments: &Packed,
        claim: &Claim,
    ) -> Result<(), CallRefused> {
        let profile = match target {
            Target::Session(peer) => self.profile(*peer),
            Target::Server(_) | Target::Nobody(_) => Profile::V1,
        };
        let tail = if profile.reads_provenance() { claim.write().len() } else { 0 };
        let (size, ours) = (work_size(name, arguments, tail), self.config.limits.body_bytes_max);
        match profile.body_bytes_max().map_or(ours, |theirs| theirs.min(ours)) {
            max if size > max => Err(CallRefused::BodyTooLarge { size, max }),
            _ => Ok(()),
        }
    }

    /// What a peer survives is known where its session is; else it is judged when the call is sent.
    fn judge_risk(&self, target: &Target, arguments: &Packed) -> Result<(), CallRefused> {
        let Target::Session(peer) = target else { return Ok(()) };
        match self.risk(*peer, self.profile(*peer), arguments) {
            Some(risk) => {
                let text = format!("the arguments hold a value that the peer cannot read: {risk}");
                Err(CallRefused::Arguments(text.into()))
            }
            None => Ok(()),
        }
    }

    /// A session that takes no calls is only meant where there is no other.
    fn session_of_user(&self, id: &[u8], several: Several) -> Result<Option<PeerId>, CallRefused> {
        let sessions = match self.users.sessions(id) {
            [] => return Ok(None),
            [only] => return Ok(Some(*only)),
            sessions => sessions,
        };
        let callable = || sessions.iter().rev().copied().filter(|&peer| self.takes_calls(peer));
        match (callable().count(), several) {
            (count @ 2.., Several::Refuse) => Err(CallRefused::SeveralSessions { count }),
            _ => Ok(callable().next().or(sessions.last().copied())),
        }
    }

    /// Whether that session can be called at all.
    pub(crate) fn takes_calls(&self, peer: PeerId) -> bool {
        self.peer_info(peer).is_some_and(|info| info.takes_calls())
    }

    /// Who holds that routing id, unless it is a user: that is known by its user id alone.
    fn unauthenticated(&self, name: &[u8]) -> Option<PeerId> {
        let holder = self.names.holder(name)?;
        self.peer_info(holder).is_some_and(|info| info.user.is_anonymous()).then_some(holder)
    }

    pub(crate) fn judge_room(&self, target: &Target) -> Result<(), CallRefused> {
        let limits = &self.config.limits;
        let (pending, queued) = match target {
            Target::Session(peer) => self
                .sessions
                .get(peer.0)
                .map(|session| (session.calls_pending, session.queue.bytes()))
                .unwrap_or_default(),
            Target::Server(whom) | Target::Nobody(whom) => self.parked.size(whom),
        };
        if pending >= limits.calls_pending_per_peer_max {
            return Err(CallRefused::TooManyPending { max: limits.calls_pending_per_peer_max });
        }
        if queued >= limits.queue_bytes_soft_max {
            return Err(CallRefused::QueueFull { queued, max: limits.queue_bytes_soft_max });
        }
        Ok(())
    }

    /// `in_vain`: why there is nothing to wait for, if there is not.
    fn send_or_park(
        &mut self,
        call: CallId,
        target: Target,
        entry: Queued,
        in_vain: Option<Reason>,
    ) {
        if self.shut_down {
            return self.finish(call, Outcome::Closed { executed: Executed::No });
        }
        match target {
            Target::Session(peer) if self.takes_calls(peer) => {
                self.calls.queue_at(call, peer, entry.cost());
                self.enqueue_call(peer, call, entry);
            }
            Target::Session(peer) if self.sessions.get(peer.0).is_some() => {
                self.finish(call, Outcome::NotExecuted(Reason::TakesNoCalls));
            }
            Target::Session(_) => self.finish(call, Outcome::NotExecuted(Reason::PeerGone)),
            Target::Server(whom) | Target::Nobody(whom) => match in_vain {
                Some(why) => self.finish(call, Outcome::NotExecuted(why)),
                None => {
                    self.calls.park_for(call, &whom, entry.cost());
                    self.parked.park(whom, entry);
                }
            },
        }
    }

    pub(crate) fn enqueue_call(&mut self, peer: PeerId, call: CallId, entry: Queued) {
        let calls = &self.calls;
        if let Some(session) = self.sessions.get_mut(peer.0) {
            session.calls_pending += 1;
            remember(&mut session.calls, call, |known| calls.get(known).is_some());
        }
        self.enqueue(peer, entry);
    }

    /// Gives a call up: it ends as `Cancelled` (or, where it had left, may have run); what is
    /// still queued never leaves, and an answer that comes later is dropped.
    pub fn cancel(&mut self, call: CallId, _now: Instant) {
        self.end_call(call, Reason::Cancelled);
    }

    pub(crate) fn end_call(&mut self, call: CallId, reason: Reason) {
        let Some(known) = self.calls.get(call) else { return };
        let (executed, peer) = (known.executed(), known.peer);
        let outcome = match executed {
            Executed::No => Outcome::NotExecuted(reason),
            Executed::Maybe => Outcome::Unknown(reason),
        };
        if executed == Executed::Maybe
            && let Some(session) = peer.and_then(|peer| self.sessions.get_mut(peer.0))
        {
            session.answers_due = session.answers_due.saturating_add(1);
        }
        self.finish(call, outcome);
    }

    /// The one place where a call ends.
    pub(crate) fn finish(&mut self, call: CallId, outcome: Outcome) {
        let Some(known) = self.calls.remove(call) else { return };
        if let Some(session) = known.peer.and_then(|peer| self.sessions.get_mut(peer.0)) {
            session.calls_pending -= 1;
            if known.stage == Stage::Queued {
                session.queue.call_over(known.cost, &self.calls);
            }
        }
        if let Some(whom) = &known.awaited {
            self.parked.call_over(whom, known.cost, &self.calls);
        }
        self.actions.push_back(Action::Finish { call, outcome });
    }
}

/// Whom a call turned out to be for.
pub(crate) enum Target {
    Session(PeerId),
    Server(Awaited),
    Nobody(Awaited),
}

impl Target {
    /// Whether nobody is there and the configured server is meant, be it by its name.
    fn is_server(&self, server: Option<&Bytes>) -> bool {
        match self {
            Self::Server(_) => true,
            Self::Nobody(Awaited::RoutingId(name) | Awaited::Known(name)) => Some(name) == server,
            Self::Nobody(Awaited::User(_)) | Self::Session(_) => false,
        }
    }

    fn found(session: Option<PeerId>, whom: Awaited) -> Self {
        session.map_or(Self::Nobody(whom), Self::Session)
    }
}
