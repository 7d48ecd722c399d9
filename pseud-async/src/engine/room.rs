//! Calls wait for room at their peer, and are sent in their order as there is some.

use super::node_room::NodeRoom;
use super::noted::Noted;
use super::waiters::Stands;
use pseud_proto::session::{Budget, NewCall, NotCalled, Session, Sink};
use pseud_proto::{CallRefused, Executed, Outcome, Reason};
use std::time::Instant;

impl Noted<'_> {
    /// Lets a call wait for room, behind all others; `waiter` is whoever made it.
    pub(crate) fn wait_for_room(&mut self, mut call: NewCall, waiter: usize, budget: &Budget) {
        call.tag = waiter as u64;
        budget.wait_for_room(&mut call);
        let place = self.backlog.get_or_insert_default().push(call);
        self.waiters.stands(waiter, Stands::Waits(place));
    }

    /// Gives up a call that waits for room, or waited before it was sent. Where it still waits it is
    /// returned: to be dropped behind the lock.
    pub(crate) fn give_up(
        &mut self,
        waiter: usize,
        session: &mut Session,
        budget: &Budget,
    ) -> Option<NewCall> {
        match self.waiters.where_stands(waiter)? {
            Stands::Sent(call) => {
                session.cancel(call, self);
                None
            }
            Stands::Waits(place) => {
                let call = self.backlog.as_mut()?.remove(place)?;
                budget.give_up_call(&call);
                Some(call)
            }
        }
    }

    /// Ends those that have waited for too long.
    pub(super) fn end_overdue(&mut self, now: Instant, budget: &Budget) {
        let overdue = self.backlog.as_mut().map(|backlog| backlog.overdue(now));
        for call in overdue.into_iter().flatten() {
            self.end_waiting(call, Outcome::NotExecuted(Reason::TimedOut), budget);
        }
    }

    fn end_waiting(&mut self, call: NewCall, outcome: Outcome, budget: &Budget) {
        budget.give_up_call(&call);
        self.finish(call.tag, outcome);
        self.effects.rare().given_up.push(call);
    }

    /// Sends what waits for room, as far as there is some; all of it is over with its session.
    pub(super) fn send_waiting(&mut self, session: &mut Session, node: &NodeRoom, budget: &Budget) {
        let mut has_turn =
            self.backlog.as_mut().is_some_and(|backlog| std::mem::take(&mut backlog.has_turn));
        while let Some(backlog) = &mut self.backlog {
            if let Some(why) = session.ended() {
                let calls = backlog.take_all();
                calls.into_iter().for_each(|call| self.end_waiting(call, over(why), budget));
            } else if !backlog.is_empty() {
                let few = session.has_few_calls();
                let waits_for_turn = !has_turn && node.is_wanted(few);
                if !session.has_room() {
                    return;
                }
                if waits_for_turn || !self.send_first(session, budget) {
                    // Whoever gives a place back looks who waits; this one looks once more after its visit.
                    node.join(session.id(), few);
                    self.effects.asks_for_room = true;
                    return;
                }
                has_turn = false;
                continue;
            }
            *self.backlog = None;
            node.leave(session.id());
        }
    }

    /// Sends the first of them; `false` where the node has no room for it.
    fn send_first(&mut self, session: &mut Session, budget: &Budget) -> bool {
        let first = self.backlog.as_mut().and_then(|backlog| backlog.pop());
        let Some((place, mut call)) = first else { return true };
        let waiter = call.tag;
        let over = match session.call(&mut call, self) {
            Ok(call) => {
                budget.leave_wait();
                self.waiters.stands(waiter as usize, Stands::Sent(call));
                return true;
            }
            Err(NotCalled::Full(_)) => {
                self.backlog.get_or_insert_default().put_back(place, call);
                return false;
            }
            Err(NotCalled::Ended(why)) => over(why),
            Err(NotCalled::TakesNoCalls) => Outcome::NotExecuted(Reason::TakesNoCalls),
            // It waited for whoever has that name, and its peer was not known then.
            Err(NotCalled::Refused(CallRefused::BodyTooLarge { .. })) => {
                Outcome::NotExecuted(Reason::CallTooLarge)
            }
            Err(_) => Outcome::NotExecuted(Reason::Unsupported),
        };
        budget.leave_wait();
        self.finish(waiter, over);
        true
    }
}

/// How a call ends whose session has ended before it was sent.
fn over(why: Reason) -> Outcome {
    match why {
        Reason::Shutdown => Outcome::Closed { executed: Executed::No },
        why => Outcome::NotExecuted(why),
    }
}
