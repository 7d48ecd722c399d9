//! Calls of ours to this peer: checked, sent, and ended once (`send_work` and `timeout_task` of Python
//! `pseud/common.py`).

use crate::base::slab::Key;
use crate::call::Outcome;
use crate::dialect::{WorkMessage, work_size};
use crate::error::{CallRefused, Executed, Reason};
use crate::rpc::config::{Config, Limits};
use crate::rpc::session::Session;
use crate::rpc::session::calls::{CallKey, PendingCall};
use crate::rpc::session::entry::{NewCall, Of, Outbound, Place};
use crate::rpc::session::ids::OwnId;
use crate::rpc::session::output::QueuedMessage;
use crate::rpc::session::sink::Sink;
use std::time::Instant;

impl Session {
    /// Whether it is a call that this peer takes.
    ///
    /// # Errors
    /// Which limit of ours, or of the peer's, stands in the way.
    pub(super) fn check_call(&self, outbound: &Outbound) -> Result<(), CallRefused> {
        let claim = outbound.claim.as_ref().filter(|_| self.profile().reads_provenance());
        let tail = claim.map_or(0, |claim| claim.write().len());
        check_size(outbound, tail, &self.config, self.profile().body_bytes_max())?;
        if let Some(risk) = self.risk(&outbound.body) {
            let text = format!("the arguments hold a value that the peer cannot read: {risk}");
            return Err(CallRefused::Arguments(text.into()));
        }
        Ok(())
    }

    /// Whether this peer's own bounds have room for one more call.
    pub fn has_room(&self) -> bool {
        self.check_room().is_ok()
    }

    /// Whether it is one of those with [few](Limits::CALLS_FEW) calls pending.
    pub fn has_few_calls(&self) -> bool {
        self.calls.len() < Limits::CALLS_FEW
    }

    #[inline]
    fn check_room(&self) -> Result<(), CallRefused> {
        let queued = self.output.bytes().max(self.bytes_kept());
        check_room(&self.config.limits, self.calls.len(), queued)
    }

    /// Whether it can be called at all: see [`PeerInfo::takes_calls`](crate::peer::PeerInfo).
    pub fn takes_calls(&self) -> bool {
        self.info.takes_calls() && !self.is_stranger
    }

    /// Calls this peer: the call is checked, given its place in the budget, and queued. Its one outcome
    /// comes with the name that its driver gave it: at once, where this peer does not read what the call
    /// [needs](crate::CallOptions::origin).
    ///
    /// It is read where it is: once it is queued nothing of it is needed any more.
    ///
    /// # Errors
    /// Nothing was sent, and nothing will be told of it. The call is as it was.
    pub fn call(&mut self, call: &mut NewCall, sink: &mut impl Sink) -> Result<CallKey, NotCalled> {
        self.check_new(call)?;
        let place = self.check_room().and_then(|()| self.budget.take_call(self.has_few_calls()));
        place.map_err(NotCalled::Full)?;
        Ok(self.start(call, true, sink))
    }

    /// Says what [`call`](Self::call) would say of a call that has to wait behind others, whether or not
    /// there is room.
    pub fn call_behind(&self, call: &NewCall) -> NotCalled {
        let max = self.config.limits.calls_pending_max;
        match self.check_new(call) {
            // Where its peer has room, it is the node's that all wait for.
            Ok(()) => NotCalled::Full(
                self.check_room().err().unwrap_or(CallRefused::TooManyPending { max }),
            ),
            Err(not_called) => not_called,
        }
    }

    #[inline]
    fn check_new(&self, call: &NewCall) -> Result<(), NotCalled> {
        if let Some(reason) = self.ended() {
            return Err(NotCalled::Ended(reason));
        }
        self.check_call(&call.outbound).map_err(NotCalled::Refused)?;
        match self.takes_calls() {
            true => Ok(()),
            false => Err(NotCalled::TakesNoCalls),
        }
    }

    /// The same of a call that waited in the directory, with its place or without one: that is taken here. What waited in several ways
    /// may be more than goes to one peer: that is not the peer's fault.
    ///
    /// # Errors
    /// Why it is over, not executed; its place is free.
    pub fn call_waited(
        &mut self,
        mut call: NewCall,
        sink: &mut impl Sink,
    ) -> Result<CallKey, Reason> {
        let has_place = call.place == Place::Pending;
        let few = self.has_few_calls();
        let place = || if has_place { Ok(()) } else { self.budget.take_call(few) };
        let room = || self.check_room().and_then(|()| place()).map_err(|_| Reason::Overloaded);
        let checked = match self.ended {
            Some(_) => Err(Reason::SlowPeer),
            None if !self.takes_calls() => Err(Reason::TakesNoCalls),
            None => room(),
        };
        match checked {
            Ok(()) => {
                if !has_place {
                    self.budget.give_up_call(&call);
                }
                let is_harmless = self.risk(&call.outbound.body).is_none();
                Ok(self.start(&mut call, is_harmless, sink))
            }
            Err(why) => {
                self.budget.give_up_call(&call);
                Err(why)
            }
        }
    }

    /// A call that has its place in the budget is queued.
    fn start(&mut self, call: &mut NewCall, is_harmless: bool, sink: &mut impl Sink) -> CallKey {
        let NewCall { tag, deadline, outbound, .. } = call;
        let (tag, deadline) = (*tag, *deadline);
        let (profile, placed) = (self.profile(), self.calls.place());
        let showing = self.showing.as_ref();
        let keeps = showing.is_some_and(|it| !it.is_accepted && it.refused.is_none());
        let kept = keeps.then(|| outbound.clone());
        let work = match self.login_refusal() {
            Some(why) => Err(why),
            None => {
                let Outbound { name, body, claim } = outbound;
                WorkMessage::new(name, body, claim.as_deref(), profile, is_harmless)
            }
        };
        match work {
            Ok(work) => {
                let QueuedMessage { end, cost } = self.queue_call(placed.key, &placed.id, work);
                if let Some(kept) = kept {
                    self.keep_for_challenge(placed.key, kept, cost);
                }
                let key =
                    self.calls.insert(PendingCall { tag, id: placed.id, deadline, end, cost });
                self.queued(sink);
                CallKey(key)
            }
            Err(why) => {
                let call = PendingCall { tag, id: placed.id, deadline, end: 0, cost: 0 };
                self.not_started(call, why, sink)
            }
        }
    }

    /// A call that has its place is over, and was not queued.
    #[cold]
    fn not_started(&mut self, call: PendingCall, why: Reason, sink: &mut impl Sink) -> CallKey {
        let tag = call.tag;
        // Its key names nobody later.
        let key = self.calls.insert(call);
        self.calls.remove(key);
        self.budget.give_calls(1);
        sink.finish(tag, Outcome::NotExecuted(why));
        CallKey(key)
    }

    #[inline]
    pub(super) fn queue_call(
        &mut self,
        key: Key,
        id: &OwnId,
        work: WorkMessage<'_>,
    ) -> QueuedMessage {
        self.output.push(Of::Call(key), |out| work.put(out, id.as_bytes()))
    }

    /// Gives a call up: it ends as `Cancelled` (or, where it had left, may have run); what is still
    /// queued never leaves, and an answer that comes later is dropped. Nothing happens where it is over.
    pub fn cancel(&mut self, call: CallKey, sink: &mut impl Sink) {
        self.give_up(call.0, Reason::Cancelled, sink);
        self.leave_refused(sink);
    }

    fn give_up(&mut self, call: Key, reason: Reason, sink: &mut impl Sink) {
        let Some(executed) = self.executed(call) else { return };
        let outcome = match executed {
            Executed::No => Outcome::NotExecuted(reason),
            Executed::Maybe => {
                self.answers_due = self.answers_due.saturating_add(1);
                Outcome::Unknown(reason)
            }
        };
        self.finish(call, outcome, sink);
    }

    /// Whether the far handler may have run, should that call end now without an answer although its
    /// link lives: pulled bytes may yet leave, or have left and not been reported yet.
    pub(crate) fn executed(&self, call: Key) -> Option<Executed> {
        let pulled = self.output.has_pulled(self.calls.get(call)?.end) && !self.is_challenged(call);
        Some(if pulled { Executed::Maybe } else { Executed::No })
    }

    /// The same should it end since its link is gone: what was not written whole never arrives.
    pub(crate) fn executed_when_gone(&self, call: Key) -> Option<Executed> {
        let written =
            self.output.has_written(self.calls.get(call)?.end) && !self.is_challenged(call);
        Some(if written { Executed::Maybe } else { Executed::No })
    }

    /// Takes a call that is over out; returns its driver's name for it.
    pub(crate) fn end_call(&mut self, call: Key) -> Option<u64> {
        let known = self.calls.remove(call)?;
        self.forget_kept(call);
        self.budget.give_calls(1);
        if !self.output.has_pulled(known.end) {
            self.output.call_over(known.cost, &self.calls);
            self.charge_output();
        }
        Some(known.tag)
    }

    /// Ends a call.
    pub(crate) fn finish(&mut self, call: Key, outcome: Outcome, sink: &mut impl Sink) {
        if let Some(tag) = self.end_call(call) {
            sink.finish(tag, outcome);
        }
    }

    /// Ends the calls whose time is up.
    pub(crate) fn end_overdue_calls(&mut self, now: Instant, sink: &mut impl Sink) {
        for call in self.calls.overdue(now) {
            self.give_up(call, Reason::TimedOut, sink);
        }
        self.leave_refused(sink);
    }
}

impl NewCall {
    /// Whether it is one that anybody could be sent, whoever is there.
    ///
    /// # Errors
    /// It is larger than our own limit.
    pub fn check_size(&self, config: &Config) -> Result<(), CallRefused> {
        check_size(&self.outbound, 0, config, None)
    }
}

/// Why a session was not called.
#[derive(Debug)]
#[non_exhaustive]
pub enum NotCalled {
    /// A limit of ours stands in the way, or what this peer survives.
    Refused(CallRefused),
    /// There is no room for it now, for that.
    Full(CallRefused),
    /// Its peer takes none: see [`PeerInfo::takes_calls`](crate::peer::PeerInfo).
    TakesNoCalls,
    /// It has ended, for that: tell its directory so, and look again.
    Ended(Reason),
}

/// Whether a call's body is within our limit, and the peer's where that is known.
pub(crate) fn check_size(
    outbound: &Outbound,
    tail: usize,
    config: &Config,
    theirs: Option<usize>,
) -> Result<(), CallRefused> {
    let size = work_size(&outbound.name, &outbound.body, tail);
    let ours = config.limits.body_bytes_max;
    match theirs.map_or(ours, |theirs| theirs.min(ours)) {
        max if size > max => Err(CallRefused::BodyTooLarge { size, max }),
        _ => Ok(()),
    }
}

/// Whether one more call may wait beside so many that are pending and so many bytes that are queued.
#[inline]
pub(crate) fn check_room(
    limits: &Limits,
    pending: usize,
    queued: usize,
) -> Result<(), CallRefused> {
    if pending >= limits.calls_pending_per_peer_max {
        return Err(CallRefused::TooManyPending { max: limits.calls_pending_per_peer_max });
    }
    if queued >= limits.queue_bytes_soft_max {
        return Err(CallRefused::QueueFull { queued, max: limits.queue_bytes_soft_max });
    }
    Ok(())
}
