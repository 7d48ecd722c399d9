//! The one timer of a node.

use super::hub::{Hub, Inner};
use super::seat::Seat;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// No moment.
const NEVER: u64 = u64::MAX;

impl Hub {
    /// A moment as nanoseconds since the node's birth, and none as the last there is.
    pub(crate) fn offset(&self, at: Option<Instant>) -> u64 {
        let since = at.map(|at| at.saturating_duration_since(self.born).as_nanos());
        since.map_or(NEVER, |nanos| u64::try_from(nanos).unwrap_or(NEVER - 1))
    }

    fn moment(&self, offset: u64) -> Option<Instant> {
        self.born.checked_add(Duration::from_nanos(offset)).filter(|_| offset != NEVER)
    }

    /// Somebody wants to be told the time then. Says whether the timer must be woken for that: it sleeps
    /// for longer.
    pub(crate) fn arm(&self, at: u64) -> bool {
        // The same order as in `handle_timeouts`: whoever says its moment first is seen there, or sees
        // here that nothing is armed.
        at != NEVER && at < self.armed.load(Ordering::SeqCst) && self.arm_earlier(at)
    }

    fn arm_earlier(&self, at: u64) -> bool {
        at < self.armed.fetch_min(at, Ordering::SeqCst)
    }

    /// The same of calls that wait in the directory.
    pub(crate) fn arm_directory(&self, inner: &Inner) -> bool {
        self.arm(self.offset(inner.directory.poll_timeout()))
    }

    /// What the timer's task asks in a loop: ends calls whose time is up, logs what was only
    /// counted, and says until
    /// when to sleep (`Pending` with no sleep where nothing has a deadline; the task is woken when
    /// one comes up that is earlier than what it sleeps for). `Ready` once the hub is shut down.
    ///
    /// The timer stays armed for a call that has ended meanwhile: a busy node re-arms it about
    /// once per time-out, not once per call.
    pub(crate) fn poll_timer(
        &self,
        cx: &mut Context<'_>,
        mut sleep_until: impl FnMut(&mut Context<'_>, Instant) -> Poll<()>,
    ) -> Poll<()> {
        self.timer.register(cx.waker());
        loop {
            let now = self.now();
            let report = self.report(now);
            let Some(next) = self.handle_timeouts(now) else { return Poll::Ready(()) };
            let next = next.min(self.offset(report));
            let armed = next.min(self.armed.fetch_min(next, Ordering::SeqCst));
            let Some(at) = self.moment(armed) else { return Poll::Pending };
            if sleep_until(cx, at).is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// Tells the time to all whose moment has come; the earliest of the others. `None`: the node has shut
    /// down.
    fn handle_timeouts(&self, now: Instant) -> Option<u64> {
        self.armed.store(NEVER, Ordering::SeqCst);
        let (now_offset, mut next) = (self.offset(Some(now)), NEVER);
        let mut inner = self.lock();
        let mut due: Vec<Arc<Seat>> = Vec::new();
        for seat in inner.seats() {
            match seat.due() {
                at if at <= now_offset => due.push(seat.clone()),
                at => next = next.min(at),
            }
        }
        let overdue = inner.directory.handle_timeout(now);
        let ended = inner.ended(overdue);
        next = next.min(self.offset(inner.directory.poll_timeout()));
        let is_over = inner.shut_down;
        drop(inner);
        self.not_executed(ended);
        for seat in due {
            seat.handle_timeout(now);
            next = next.min(seat.due());
        }
        (!is_over).then_some(next)
    }
}
