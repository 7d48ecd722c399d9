//! One call on its way.

use crate::engine::hub::Hub;
use crate::engine::waiters::Waiter;
use pseud_proto::{CallId, CallOptions, CallRefused, Outcome, Packed, To};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// One call on its way: a future of its outcome. Dropping it cancels the call.
#[derive(Debug)]
pub(crate) struct Pending {
    hub: Arc<Hub>,
    call: CallId,
    waiter: usize,
    done: bool,
}

impl Pending {
    /// Sends a call.
    pub(crate) fn send(
        hub: &Arc<Hub>,
        to: To,
        name: &str,
        arguments: Packed,
        options: CallOptions,
    ) -> Result<Self, CallRefused> {
        let (call, waiter) = hub.act(|inner, now| {
            let call = inner.endpoint.call(to, name, arguments, options, now)?;
            Ok::<_, CallRefused>((call, inner.waiters.insert(call)))
        })?;
        Ok(Self { hub: hub.clone(), call, waiter, done: false })
    }

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
        match inner.waiters.get_mut(this.waiter) {
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
        let waiter = inner.waiters.remove(this.waiter);
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
        let removed = self.hub.act(|inner, now| {
            inner.endpoint.cancel(call, now);
            inner.waiters.forget(call, waiter)
        });
        drop(removed);
    }
}
