//! Calls that waited are sent to whoever is there, or are over.

use super::absent::{AbsentOf, AwaitingOf, FateOf, SentOf};
use super::hub::{Hub, Inner};
use super::noted::Noted;
use super::seat::Seat;
use pseud_proto::session::{AbsentPeer, CallKey, NewCall, Parking, Session, Target, Waits};
use pseud_proto::{CallRefused, Executed, Outcome, Reason, WhenFull};
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

/// How often a call looks again whose session has ended as it came.
pub(crate) const LOOKS_MAX: usize = 16;

/// The caller of a call that waits.
pub(crate) type Absent = AbsentOf<Hub>;
/// What became of it.
pub(crate) type Fate = FateOf<Hub>;
/// A call at a session.
pub(crate) type Sent = SentOf<Hub>;
/// A call that was taken out of the directory.
pub(crate) type AwaitingCall = AwaitingOf<Hub>;

impl Hub {
    /// Calls that waited are over for that. Their places are free already.
    pub(crate) fn end_waiting(&self, ended: Vec<(AwaitingCall, Outcome)>) {
        for (AwaitingCall { caller, .. }, outcome) in ended {
            caller.end(outcome).into_iter().for_each(Waker::wake);
        }
        self.look_for_room();
        self.look_idle();
    }

    /// Calls that waited, taken out of the directory under its lock, are over for that.
    pub(crate) fn not_executed(&self, ended: Vec<(AwaitingCall, Reason)>) {
        let ended = ended.into_iter().map(|(waiting, why)| (waiting, not_executed(why)));
        self.end_waiting(ended.collect());
    }

    /// Sends a session what waited for it, in order.
    pub(crate) fn deliver(&self, seat: &Arc<Seat>, waiting: Vec<AwaitingCall>) {
        for waiting in waiting {
            if let Some(again) = self.deliver_one(seat, waiting) {
                self.look_again(again);
            }
        }
        // One whose caller has left, or that is over, has given its place back here.
        self.look_for_room();
        self.look_idle();
    }

    /// The call is given back where the session has ended meanwhile.
    fn deliver_one(&self, seat: &Arc<Seat>, waiting: AwaitingCall) -> Option<AwaitingCall> {
        let AwaitingCall { call, caller } = waiting;
        let mut fate = caller.lock();
        let Fate::Waits { waker, .. } = &mut *fate else {
            drop(fate);
            self.budget.give_up_call(&call);
            return None;
        };
        let (delivered, mut effects) =
            seat.visit(|session, noted| self.hand_to(session, noted, call, waker));
        let ended = match delivered {
            Delivered::Taken(waiter, call) => {
                *fate = Fate::Sent(Sent { seat: seat.clone(), waiter, call });
                None
            }
            Delivered::Over(outcome) => Some(outcome),
            Delivered::Back(call) => {
                drop(fate);
                seat.perform(&mut effects, false);
                return Some(AwaitingCall { call: *call, caller });
            }
        };
        drop(fate);
        seat.perform(&mut effects, false);
        if let Some(outcome) = ended {
            caller.end(outcome).into_iter().for_each(Waker::wake);
        }
        None
    }

    /// A call that waited, into a session, under its lock. Its caller's waker goes with it, if it is taken.
    fn hand_to(
        &self,
        session: &mut Session,
        noted: &mut Noted<'_>,
        mut call: NewCall,
        waker: &mut Option<Waker>,
    ) -> Delivered {
        match session.ended() {
            None => {}
            // An earlier one was too much for it.
            Some(why @ (Reason::Shutdown | Reason::SlowPeer)) => {
                self.budget.give_up_call(&call);
                return Delivered::Over(not_executed(why));
            }
            Some(_) => return Delivered::Back(Box::new(call)),
        }
        let waiter = noted.waiters.insert(waker.take());
        call.tag = waiter as u64;
        let waits = call.when_full == WhenFull::Wait;
        if waits && (noted.backlog.is_some() || !session.has_room() || call.has_no_place()) {
            noted.wait_for_room(call, waiter, &self.budget);
            return Delivered::Taken(waiter, None);
        }
        match session.call_waited(call, noted) {
            Ok(call) => Delivered::Taken(waiter, Some(call)),
            Err(why) => {
                *waker = noted.waiters.forget(waiter).and_then(|waiter| waiter.into_waker());
                Delivered::Over(Outcome::NotExecuted(why))
            }
        }
    }

    /// Its session ended before it was there: it goes to whoever is there now, or waits on.
    fn look_again(&self, mut waiting: AwaitingCall) {
        for _ in 0..LOOKS_MAX {
            match self.route_again(waiting) {
                RoutedAgain::To(seat, found) => match self.deliver_one(&seat, found) {
                    Some(again) => waiting = again,
                    None => return,
                },
                RoutedAgain::Over(waker) => return waker.into_iter().for_each(Waker::wake),
            }
        }
        self.budget.give_up_call(&waiting.call);
        let outcome = Outcome::NotExecuted(Reason::PeerGone);
        self.end_waiting(vec![(waiting, outcome)]);
    }

    fn route_again(&self, waiting: AwaitingCall) -> RoutedAgain {
        let AwaitingCall { call, caller } = waiting;
        let now = self.now();
        let to = match &*caller.lock() {
            Fate::Waits { to, .. } => Some(to.clone()),
            Fate::Sent(_) | Fate::Done(_) | Fate::Over => None,
        };
        let Some(to) = to else {
            self.budget.give_up_call(&call);
            return RoutedAgain::Over(None);
        };
        let mut inner = self.lock();
        let wanted = match inner.directory.find(&to) {
            Ok(Target::Session(peer)) => match inner.seat(peer) {
                Some(seat) => return RoutedAgain::To(seat, AwaitingCall { call, caller }),
                None => None,
            },
            Ok(Target::Nobody(wanted)) => Some(wanted),
            Err(_) => None,
        };
        // Its place is taken anew, with all that is asked of one that begins to wait.
        self.budget.give_up_call(&call);
        let parked = wanted.map(|wanted| {
            inner.park(wanted, call, now, |parking| {
                caller.moved(parking);
                caller.clone()
            })
        });
        let rearm = self.arm_directory(&inner);
        drop(inner);
        if rearm {
            self.timer.wake();
        }
        let why = match parked {
            Some(Ok(None)) => return RoutedAgain::Over(None),
            Some(Ok(Some(why))) => why,
            Some(Err(_)) => Reason::Overloaded,
            None => Reason::PeerGone,
        };
        RoutedAgain::Over(caller.end(not_executed(why)))
    }
}

/// What became of a call that had waited for its session.
enum Delivered {
    /// The session has it, for that waiter; `None`: it waits for room there.
    Taken(usize, Option<CallKey>),
    Over(Outcome),
    /// The session has ended: the call is given back.
    Back(Box<NewCall>),
}

/// Where a call went that has looked again.
enum RoutedAgain {
    To(Arc<Seat>, AwaitingCall),
    /// It waits on, or is over; whom to wake.
    Over(Option<Waker>),
}

/// How a call ends that was sent to nobody.
pub(crate) fn not_executed(why: Reason) -> Outcome {
    match why {
        Reason::Shutdown => Outcome::Closed { executed: Executed::No },
        why => Outcome::NotExecuted(why),
    }
}

impl Inner {
    /// Lets a call wait, with its caller; or says why that would be in vain.
    pub(crate) fn park(
        &mut self,
        wanted: AbsentPeer,
        mut call: NewCall,
        now: Instant,
        caller: impl FnOnce(Parking) -> Arc<Absent>,
    ) -> Result<Option<Reason>, CallRefused> {
        let place = self.absent.vacant_entry();
        call.tag = place.key() as u64;
        match self.directory.wait(wanted, call, now)? {
            Waits::For(parking) => {
                place.insert(caller(parking));
                Ok(None)
            }
            Waits::InVain(why) => Ok(Some(why)),
        }
    }
}
