//! Calls that wait: a slot {waker, outcome} each. No channel, no task, no timer.

use crate::effects::Effects;
use crate::hub::Hub;
use pseud_proto::{CallId, CallOptions, CallRefused, Outcome, Packed, To};
use slab::Slab;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

#[derive(Debug)]
enum Waiter {
    Waiting(Option<Waker>),
    Done(Outcome),
}

/// Who waits for which call. A waiter may outlive its call's slot in the endpoint, until its future
/// has picked the outcome up: so it has a slot of its own.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    slab: Slab<Waiter>,
    /// The endpoint's call slot → the call there and its waiter.
    by_call: Vec<Option<(CallId, usize)>>,
}

impl Waiters {
    fn insert(&mut self, call: CallId) -> usize {
        let waiter = self.slab.insert(Waiter::Waiting(None));
        if self.by_call.len() <= call.slot() {
            self.by_call.resize(call.slot() + 1, None);
        }
        self.by_call[call.slot()] = Some((call, waiter));
        waiter
    }

    /// The call is over: keeps its outcome for its future, and returns whom to wake.
    pub(crate) fn finish(&mut self, call: CallId, outcome: Outcome) -> Option<Waker> {
        let (_, waiter) =
            self.by_call.get_mut(call.slot())?.take_if(|(known, _)| *known == call)?;
        match std::mem::replace(self.slab.get_mut(waiter)?, Waiter::Done(outcome)) {
            Waiter::Waiting(waker) => waker,
            Waiter::Done(_) => None,
        }
    }
}

/// One call on its way: a future of its outcome. Dropping it cancels the call.
#[derive(Debug)]
pub(crate) struct Pending {
    hub: Arc<Hub>,
    call: CallId,
    waiter: usize,
    done: bool,
}

impl Hub {
    /// Sends a call.
    pub(crate) fn call(
        self: &Arc<Self>,
        to: To,
        name: &str,
        arguments: Packed,
        options: CallOptions,
    ) -> Result<Pending, CallRefused> {
        let (result, effects) = self.with(|inner, now| {
            let call = inner.endpoint.call(to, name, arguments, options, now)?;
            Ok::<_, CallRefused>((call, inner.waiters.insert(call)))
        });
        effects.run(self, None);
        let (call, waiter) = result?;
        Ok(Pending { hub: self.clone(), call, waiter, done: false })
    }
}

impl Pending {
    /// The hub that it was sent through.
    pub(crate) fn hub(&self) -> &Hub {
        &self.hub
    }
}

impl Future for Pending {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        let this = &mut *self;
        let mut inner = this.hub.lock();
        match inner.waiters.slab.get_mut(this.waiter) {
            Some(Waiter::Waiting(waker)) => {
                if waker.as_ref().is_some_and(|known| known.will_wake(cx.waker())) {
                    return Poll::Pending;
                }
                let old = waker.replace(cx.waker().clone());
                drop(inner);
                drop(old);
                return Poll::Pending;
            }
            Some(Waiter::Done(_)) | None => {}
        }
        let waiter = inner.waiters.slab.remove(this.waiter);
        drop(inner);
        this.done = true;
        match waiter {
            Waiter::Done(outcome) => Poll::Ready(outcome),
            Waiter::Waiting(_) => Poll::Pending,
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let (call, waiter) = (self.call, self.waiter);
        let (removed, effects): (Option<Waiter>, Effects) = self.hub.with(|inner, now| {
            inner.endpoint.cancel(call, now);
            // The outcome of the cancelled call finds no waiter any more.
            if let Some(slot) = inner.waiters.by_call.get_mut(call.slot()) {
                slot.take_if(|(known, _)| *known == call);
            }
            inner.waiters.slab.try_remove(waiter)
        });
        drop(removed);
        effects.run(&self.hub, None);
    }
}
