//! Calls of ours: checked, resolved, parked or sent.

use crate::call::{CallId, CallOptions, To, WhenFull};
use crate::error::{CallRefused, Executed, Reason};
use crate::rpc::directory::find::Target;
use crate::rpc::directory::waiting::Waits;
use crate::rpc::endpoint::outbox::{key_of, tag};
use crate::rpc::endpoint::{CallPlace, Endpoint};
use crate::rpc::session::calling::NotCalled;
use crate::rpc::session::entry::NewCall;
use crate::rpc::session::sink::Sink;
use crate::rpc::stats::Counted;
use crate::value::Packed;
use std::time::Instant;

impl Endpoint {
    /// Calls `name` with those arguments (made by [`Packed::call`]). Its one outcome comes as an
    /// [`Action::Finish`](crate::Action::Finish), at the latest when its time-out is over.
    ///
    /// # Errors
    /// [`CallRefused`] at once, with nothing sent, where a limit of ours stands in the way. So is a call
    /// for which there is no room, whatever [`WhenFull`] says: your own loop knows best who is to wait.
    pub fn call(
        &mut self,
        to: To,
        name: &str,
        arguments: Packed,
        options: CallOptions,
        now: Instant,
    ) -> Result<CallId, CallRefused> {
        let config = self.config.clone();
        NewCall::make(name, arguments, options, &config, now, |call| self.start(&to, call, now))
    }

    /// A call within our limits is sent, or waits.
    fn start(&mut self, to: &To, new: &mut NewCall, now: Instant) -> Result<CallId, CallRefused> {
        new.when_full = WhenFull::Refuse;
        let max = self.config.limits.calls_pending_max;
        if self.budget.taken().calls >= max {
            return Err(CallRefused::TooManyPending { max });
        }
        let target = self.directory.find(to)?;
        let call = CallId(self.calls.insert(CallPlace::Over));
        new.tag = tag(call.0);
        if let Err(refused) = self.send_or_park(target, new, now) {
            self.calls.remove(call.0);
            return Err(refused);
        }
        self.outbox.count(Counted::Called);
        Ok(call)
    }

    /// A call that is over at once is one that was made.
    fn send_or_park(
        &mut self,
        target: Target,
        call: &mut NewCall,
        now: Instant,
    ) -> Result<(), CallRefused> {
        let tag = call.tag;
        let why = match target {
            // What a peer survives, and its own limit, are known where its session is.
            Target::Session(peer) if self.sessions.get(peer.0).is_some() => {
                match self.visit(peer, |session, outbox| session.call(call, outbox)) {
                    Some(Ok(key)) => {
                        self.place(tag, peer, key);
                        return Ok(());
                    }
                    Some(Err(NotCalled::Refused(refused) | NotCalled::Full(refused))) => {
                        return Err(refused);
                    }
                    Some(Err(NotCalled::TakesNoCalls)) => Reason::TakesNoCalls,
                    Some(Err(NotCalled::Ended(..))) | None => Reason::PeerGone,
                }
            }
            Target::Session(_) => {
                call.check_size(&self.config)?;
                Reason::PeerGone
            }
            Target::Nobody(wanted) => match self.directory.wait(wanted, call.take(), now)? {
                Waits::For(parking) => {
                    let place = self.calls.get_mut(key_of(tag, self.directory.machine()));
                    place.into_iter().for_each(|place| *place = CallPlace::Parked(parking));
                    return Ok(());
                }
                Waits::InVain(why) => why,
            },
        };
        match self.directory.is_shut_down() {
            true => self.outbox.closed(tag, Executed::No),
            false => self.outbox.not_executed(tag, why),
        }
        Ok(())
    }

    /// Gives a call up: it ends as `Cancelled` (or, where it had left, may have run); what is
    /// still queued never leaves, and an answer that comes later is dropped.
    pub fn cancel(&mut self, call: CallId, _now: Instant) {
        match self.calls.get(call.0) {
            Some(&CallPlace::Parked(parking)) => {
                if let Some(parked) = self.directory.give_up(parking) {
                    self.outbox.not_executed(parked.tag, Reason::Cancelled);
                }
            }
            Some(&CallPlace::At(peer, key)) => {
                self.visit(peer, |session, outbox| session.cancel(key, outbox));
            }
            Some(CallPlace::Over) | None => {}
        }
    }
}
