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
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// One call on its way: a future of its outcome. Dropping it cancels the call.
#[derive(Debug)]
pub(crate) struct Pending {
    route: Arc<Route>,
    at: At,
}

#[derive(Debug)]
enum At {
    /// At a session.
    Sent(Sent),
    /// Waiting for somebody.
    Absent(Arc<Absent>),
    /// Over, and not told yet.
    Over(Outcome),
    Told,
}

impl Pending {
    /// Sends a call. Whoever knows who is to be woken says so: it is then not polled for that.
    pub(crate) fn send(
        route: &Arc<Route>,
        name: impl Into<SmolStr>,
        arguments: Packed,
        options: CallOptions,
        waker: Option<&Waker>,
    ) -> Result<Self, CallRefused> {
        let hub = &route.hub;
        let now = hub.now();
        let call = NewCall::made(name, arguments, options, &hub.config, now)?;
        let at = match route.call(call, waker, now)? {
            Routed::Sent(sent) => At::Sent(sent),
            Routed::Waits(absent) => At::Absent(absent),
            Routed::Over(outcome) => At::Over(outcome),
        };
        Ok(Self { route: route.clone(), at })
    }

    /// Whether it is over already, though nobody was woken for it.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.at, At::Over(_))
    }

    /// The hub that it was sent through.
    pub(crate) fn hub(&self) -> &Hub {
        &self.route.hub
    }
}

impl Future for Pending {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        let this = &mut *self;
        if let At::Absent(absent) = &this.at {
            let (next, old) = poll_absent(absent, cx.waker());
            drop(old);
            match next {
                Some(next) => this.at = next,
                None => return Poll::Pending,
            }
        }
        match std::mem::replace(&mut this.at, At::Told) {
            At::Sent(sent) => match poll_sent(&sent, cx.waker()) {
                Some(outcome) => Poll::Ready(outcome),
                None => {
                    this.at = At::Sent(sent);
                    Poll::Pending
                }
            },
            At::Over(outcome) => Poll::Ready(outcome),
            At::Absent(_) | At::Told => Poll::Pending,
        }
    }
}

/// Where the call is now, unless it still waits; and a waker to be dropped.
fn poll_absent(absent: &Absent, waker: &Waker) -> (Option<At>, Option<Waker>) {
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
                Fate::Sent(sent) => At::Sent(sent),
                Fate::Done(outcome) => At::Over(outcome),
                Fate::Waits { .. } | Fate::Over => At::Told,
            };
            (Some(next), None)
        }
    }
}

/// The outcome, if it is there.
fn poll_sent(sent: &Sent, waker: &Waker) -> Option<Outcome> {
    let (polled, old) = sent.seat.wait(|waiters| match waiters.get_mut(sent.waiter) {
        Some(Waiter::Waiting(known) | Waiter::Queued(known, _)) => {
            if known.as_ref().is_some_and(|known| known.will_wake(waker)) {
                return (None, None);
            }
            (None, known.replace(waker.clone()))
        }
        Some(Waiter::Done(_)) => (waiters.take_done(sent.waiter), None),
        None => (None, None),
    });
    drop(old);
    polled
}

impl Drop for Pending {
    fn drop(&mut self) {
        let mut at = std::mem::replace(&mut self.at, At::Told);
        if let At::Absent(absent) = &at {
            let fate = std::mem::replace(&mut *absent.lock(), Fate::Over);
            match fate {
                // Whoever has taken it out meanwhile finds that nobody waits for it.
                Fate::Waits { parking, .. } => {
                    let hub = &self.route.hub;
                    let given_up = hub.lock().give_up(parking);
                    drop(given_up);
                    hub.look_for_room();
                    hub.look_idle();
                }
                Fate::Sent(sent) => at = At::Sent(sent),
                Fate::Done(_) | Fate::Over => {}
            }
        }
        if let At::Sent(Sent { seat, waiter, call }) = at {
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
