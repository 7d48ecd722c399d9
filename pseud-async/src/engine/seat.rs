//! A session is visited under its link's lock, and then what follows from that is done.

use super::any_link::AnyLink;
use super::blocking_jobs::JobOwner;
use super::effects::{Effects, Flush, RareEffects};
use super::hub::Hub;
use super::noted::Noted;
use super::seated::{SeatOf, Seated};
use atomic_waker::AtomicWaker;
use pseud_proto::Reason;
use pseud_proto::session::{Admitted, CallKey, Session};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// A session of a [`Hub`].
pub(crate) type Seat = SeatOf<Hub>;

impl Seat {
    /// Of whom the directory has let in.
    pub(crate) fn admit(
        hub: &Arc<Hub>,
        admitted: Admitted,
        link: Option<Arc<dyn AnyLink>>,
    ) -> Arc<Self> {
        let session = Session::new(hub.config.clone(), hub.budget.clone(), admitted);
        Self::new(hub.clone(), session, link)
    }

    /// Does something to the session under its lock; what follows from it is done after.
    pub(crate) fn visit<R>(
        &self,
        act: impl FnOnce(&mut Session, &mut Noted<'_>) -> R,
    ) -> (R, Effects) {
        let mut effects = Effects::default();
        let result = self.visit_into(&mut effects, act);
        (result, effects)
    }

    /// The same; what follows from it is noted there.
    #[inline]
    pub(crate) fn visit_into<R>(
        &self,
        effects: &mut Effects,
        act: impl FnOnce(&mut Session, &mut Noted<'_>) -> R,
    ) -> R {
        let mut seated = self.lock();
        let Seated { session, waiters, cancelling, link, backlog, due } = &mut *seated;
        let counts = self.hub.counts.of(self.peer);
        let mut noted = Noted { waiters, cancelling, effects, counts, backlog };
        let result = act(session, &mut noted);
        let mut next = session.poll_timeout();
        if noted.backlog.is_some() {
            noted.send_waiting(session, &self.hub.room, &self.hub.budget);
            let waiting = noted.backlog.as_ref().and_then(|backlog| backlog.next());
            next = session.poll_timeout().into_iter().chain(waiting).min();
        }
        self.settle(session, link, next, due, effects);
        result
    }

    /// The same, and then what follows from it.
    pub(crate) fn act<R>(&self, act: impl FnOnce(&mut Session, &mut Noted<'_>) -> R) -> R {
        let mut effects = Effects::default();
        let result = self.visit_into(&mut effects, act);
        self.perform(&mut effects, false);
        result
    }

    /// Notes what is to be done behind the lock, and tells what may be read without it.
    fn settle(
        &self,
        session: &Session,
        link: &mut Option<Arc<dyn AnyLink>>,
        next: Option<Instant>,
        due: &mut Option<Instant>,
        effects: &mut Effects,
    ) {
        if let Some(reason) = session.ended()
            && self.over.set(Box::new(reason)).is_ok()
        {
            effects.rare().ended = Some(link.take());
        }
        if effects.wants_flush
            && let Some(link) = link.as_ref().filter(|link| !link.will_flush())
        {
            effects.flush = Some(Flush { link: link.clone(), quiet: session.is_quiet() });
        }
        let open = (session.calls_pending() as u64) << 32 | session.requests_open() as u64;
        if self.open.load(Ordering::Relaxed) != open {
            self.open.store(open, Ordering::Relaxed);
        }
        if *due != next {
            *due = next;
            let offset = self.hub.offset(next);
            self.due.store(offset, Ordering::SeqCst);
            effects.rearm = self.hub.arm(offset);
        }
        effects.is_over_budget = self.hub.budget.is_over();
    }

    /// Does all that is to be done. `is_own`: this runs in the task of its link, which flushes itself when
    /// it is done, if this says so.
    #[inline]
    pub(crate) fn perform(&self, effects: &mut Effects, is_own: bool) -> bool {
        // Nearly always there is little: all else is looked at once there is any of it.
        let flush_here = !effects.is_done() && self.perform_all(effects, is_own);
        self.hub.look_for_room();
        self.hub.look_idle();
        flush_here
    }

    /// The same; what a visit has made room for is not looked at.
    fn perform_all(&self, effects: &mut Effects, is_own: bool) -> bool {
        let hub = &self.hub;
        if effects.rearm {
            hub.timer.wake();
        }
        // Whoever is woken below finds it gone.
        let wait_list = effects.rare.take().map(|rare| self.perform_rare(*rare));
        let mut flush_here = false;
        if let Some(Flush { link, quiet }) = effects.flush.take() {
            match (is_own, quiet) {
                (true, _) => flush_here = true,
                (false, true) => link.flush_now(),
                (false, false) => link.wake_to_flush(),
            }
        }
        effects.wakers.wake();
        wait_list.into_iter().flatten().for_each(|waker| waker.wake());
        if effects.is_over_budget {
            hub.close_largest();
        }
        flush_here
    }

    /// Does what hardly ever is to be done; who is to be woken after it.
    #[cold]
    fn perform_rare(&self, rare: RareEffects) -> Vec<Arc<AtomicWaker>> {
        let hub = &self.hub;
        // What is kept is said before it is told that it is sent again.
        rare.challenged.into_iter().for_each(|call| self.save_last_work(call));
        for step in rare.showing {
            hub.happen(|inner, happened| inner.showing(self.peer, step, happened));
        }
        if let Some(link) = rare.ended {
            hub.left(self);
            hub.blocking.leave(JobOwner::Session(self.peer));
            link.zip(self.over()).inspect(|(link, reason)| link.close(*reason));
        }
        rare.withheld.into_iter().for_each(|withheld| hub.withheld(withheld));
        rare.wait_list
    }

    /// Asks what is kept of a call that was not run: it, where nobody wants to say.
    fn save_last_work(&self, call: CallKey) {
        let asked = self.look(|session| Some((session.last_work(call)?, session.info().clone())));
        let Some((work, server)) = asked else { return };
        let kept = match self.hub.hooks.get() {
            Some(hooks) => hooks.save_last_work(&server, work),
            None => Some(work),
        };
        self.act(|session, noted| session.save_last_work(call, kept, noted));
    }

    /// Ends its session, whose link lives, for that reason. Says whether it was this that ended it; when it
    /// returns, the session has left in any case.
    pub(crate) fn end(&self, reason: Reason) -> bool {
        let was_there = self.act(|session, noted| {
            let was_there = session.ended().is_none();
            session.close(reason, noted);
            was_there
        });
        if !was_there {
            self.hub.left(self);
        }
        was_there
    }

    /// Time has passed.
    pub(crate) fn handle_timeout(&self, now: Instant) {
        self.act(|session, noted| {
            session.handle_timeout(now, noted);
            noted.end_overdue(now, &self.hub.budget);
        });
    }
}
