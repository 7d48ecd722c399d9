//! The one timer of an endpoint.

use super::hub::Hub;
use std::task::{Context, Poll};
use std::time::Instant;

impl Hub {
    /// What the timer's task asks in a loop: ends calls whose time is up, logs what was only
    /// counted, and says until
    /// when to sleep (`Pending` with no sleep where nothing has a deadline; the task is woken when
    /// one comes up that is earlier than what it sleeps for). `Ready` once the hub is shut down.
    ///
    /// The timer stays armed for a call that has ended meanwhile: a busy endpoint re-arms it about
    /// once per time-out, not once per call.
    pub(crate) fn poll_timer(
        &self,
        cx: &mut Context<'_>,
        mut sleep_until: impl FnMut(&mut Context<'_>, Instant) -> Poll<()>,
    ) -> Poll<()> {
        self.timer.register(cx.waker());
        loop {
            let report = self.report(self.now());
            let (armed, shut_down) = self.act(|inner, now| {
                inner.endpoint.handle_timeout(now);
                let next = [inner.endpoint.poll_timeout(), report];
                inner.armed = next.into_iter().flatten().min();
                (inner.armed, inner.shut_down)
            });
            if shut_down {
                return Poll::Ready(());
            }
            let Some(at) = armed else { return Poll::Pending };
            if sleep_until(cx, at).is_pending() {
                return Poll::Pending;
            }
        }
    }
}
