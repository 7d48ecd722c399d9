//! One call on its way.

use super::route::{Route, Routed};
use crate::engine::deliver::{Absent, Fate, Sent};
use crate::engine::hub::Hub;
use crate::engine::waiters::Waiter;
use pseud_proto::session::NewCall;
use pseud_proto::value::Packed;
use pseud_proto::{CallOptions, CallRefused, Outcome, PeerId};
use smol_str::SmolStr;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

/// One call on its way: a future of its outcome. Dropping it cancels the call.
#[derive(Debug)]
pub(crate) struct Pending(Routed);

impl Pending {
    /// Sends a call. Whoever knows who is to be woken says so: it is then not polled for that.
    pub(crate) fn send(
        route: &Route,
        name: SmolStr,
        arguments: Packed,
        options: CallOptions,
        waker: Option<&Waker>,
    ) -> Result<Self, CallRefused> {
        let (config, now) = (&route.hub.config, route.hub.now());
        let send = |call: &mut NewCall| route.call(call, waker, now).map(Self);
        NewCall::make(name, arguments, options, config, now, send)
    }

    /// Whether it is over already, though nobody was woken for it.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.0, Routed::Over(_))
    }
}

impl Future for Pending {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        let at = &mut self.0;
        if let Routed::Waits(absent, _) = at {
            let (next, old) = poll_absent(absent, cx.waker());
            drop(old);
            match next {
                Some(next) => *at = next,
                None => return Poll::Pending,
            }
        }
        if let Routed::Sent(sent) = at {
            let outcome = ready!(poll_sent(sent, cx.waker()));
            *at = Routed::Told;
            return Poll::Ready(outcome);
        }
        match std::mem::replace(at, Routed::Told) {
            Routed::Over(outcome) => Poll::Ready(outcome),
            Routed::Sent(_) | Routed::Waits(..) | Routed::Told => Poll::Pending,
        }
    }
}

/// Where the call is now, unless it still waits; and a waker to be dropped.
fn poll_absent(absent: &Absent, waker: &Waker) -> (Option<Routed>, Option<Waker>) {
    let mut fate = absent.lock();
    match &mut *fate {
        Fate::Waits { waker: known, .. } => {
            if known.as_ref().is_some_and(|known| known.will_wake(waker)) {
                return (None, None);
            }
            (None, known.replace(waker.clone()))
        }
        Fate::Sent(_) | Fate::Done(_) | Fate::Over => {
            let next = match std::mem::replace(&mut *fate, Fate::Over) {
                Fate::Sent(sent) => Routed::Sent(sent),
                Fate::Done(outcome) => Routed::Over(outcome),
                Fate::Waits { .. } | Fate::Over => Routed::Told,
            };
            (Some(next), None)
        }
    }
}

/// The outcome, once it is there.
fn poll_sent(sent: &Sent, waker: &Waker) -> Poll<Outcome> {
    let mut old = None;
    let polled = sent.seat.wait(|waiters| match waiters.get_mut(sent.waiter) {
        Some(Waiter::Waiting(known) | Waiter::Queued(known, _)) => {
            if !known.as_ref().is_some_and(|known| known.will_wake(waker)) {
                old = known.replace(waker.clone());
            }
            Poll::Pending
        }
        Some(Waiter::Done(_)) => waiters.take_done(sent.waiter).map_or(Poll::Pending, Poll::Ready),
        None => Poll::Pending,
    });
    drop(old);
    polled
}

impl Drop for Pending {
    fn drop(&mut self) {
        if matches!(self.0, Routed::Told) {
            return;
        }
        let mut at = std::mem::replace(&mut self.0, Routed::Told);
        if let Routed::Waits(absent, hub) = &at {
            let fate = std::mem::replace(&mut *absent.lock(), Fate::Over);
            match fate {
                // Whoever has taken it out meanwhile finds that nobody waits for it.
                Fate::Waits { parking, .. } => {
                    let given_up = hub.lock().give_up(parking);
                    drop(given_up);
                    hub.look_for_room();
                    hub.look_idle();
                }
                Fate::Sent(sent) => at = Routed::Sent(sent),
                Fate::Done(_) | Fate::Over => {}
            }
        }
        if let Routed::Sent(Sent { seat, waiter, call }) = at {
            let forgotten = seat.act(|session, noted| {
                let waited = match call {
                    Some(call) => {
                        session.cancel(call, noted);
                        None
                    }
                    None => noted.give_up(waiter, session, &seat.hub.budget),
                };
                (noted.waiters.forget(waiter), waited)
            });
            drop(forgotten);
        }
    }
}

/// The session that a result came from learns what was in it.
pub(crate) fn learn(hub: &Hub, peer: Option<PeerId>, packed: &Packed) {
    if packed.is_v1_safe() {
        return;
    }
    if let Some(seat) = peer.and_then(|peer| hub.lock().seat(peer)) {
        seat.learn(packed);
    }
}
