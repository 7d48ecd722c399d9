//! Panics of what users hand in: each is caught where it happens, and so is one of its payload's drop.

use crate::events::shown;
use crate::handler::{Answer, Answering};
use crate::request::Request;
use pseud_proto::peer::PeerInfo;
use pseud_proto::{Fault, User};
use smol_str::SmolStr;
use std::any::Any;
use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// What `run` returns; `None` if it panics, whose text `tell` hears.
pub(crate) fn caught<T>(run: impl FnOnce() -> T, tell: impl FnOnce(&str)) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(value) => Some(value),
        Err(panic) => {
            tell(text(&*panic));
            discard(panic);
            None
        }
    }
}

fn text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("?")
}

/// What a panic carries is a user's as well, and may panic as it is dropped. What that carries is left
/// where it lies: nothing says that there is an end to it.
fn discard(panic: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(move || drop(panic))) {
        std::mem::forget(again);
    }
}

/// Which request was being served, for the line that says that a panic was caught.
#[derive(Clone)]
pub(crate) struct Whose {
    method: SmolStr,
    info: Arc<PeerInfo>,
    /// The user in whose name a gateway made it.
    origin: Option<User>,
}

impl Whose {
    pub(crate) fn of(request: &Request) -> Self {
        let caller = &request.caller;
        let origin = caller.provenance.is_forwarded.then(|| caller.user().clone());
        Self { method: request.name.clone(), info: caller.info.clone(), origin }
    }

    /// The panic's text stays in our log: it is ours to read, not the peer's.
    fn log(&self, who: &str, panic: &str) {
        let PeerInfo { address, user, .. } = &*self.info;
        let (peer, by) = (shown(&self.info.identity), self.origin.as_ref().map(|_| user));
        let user = Some(self.origin.as_ref().unwrap_or(user)).filter(|user| !user.is_anonymous());
        let [user, by] = [user, by].map(|user| user.map(tracing::field::display));
        let method = self.method.escape_debug();
        tracing::error!(%method, peer, address, user, forwarded_by = by, panic, "{who} panicked");
    }

    fn handler_panicked(&self, panic: &str) {
        self.log("a handler", panic);
    }
}

/// A handler whose panic is a fault of its own call and of nothing else.
pub(crate) struct Guarded(Answering, Whose);

impl Future for Guarded {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        let Self(answering, whose) = &mut *self;
        let polled = caught(|| answering.as_mut().poll(cx), |panic| whose.handler_panicked(panic));
        polled.unwrap_or_else(|| Poll::Ready(Err(panicked())))
    }
}

/// One that is dropped while it waits may panic as well.
impl Drop for Guarded {
    fn drop(&mut self) {
        let answering = std::mem::replace(&mut self.0, Box::pin(pending()));
        caught(move || drop(answering), |panic| self.1.handler_panicked(panic));
    }
}

pub(crate) fn guarded(whose: &Whose, run: impl FnOnce() -> Answer) -> Answer {
    caught(run, |panic| whose.handler_panicked(panic)).unwrap_or_else(|| Err(panicked()))
}

pub(crate) fn guarded_future(
    whose: Whose,
    run: impl FnOnce() -> Answering,
) -> Result<Guarded, Fault> {
    match caught(run, |panic| whose.handler_panicked(panic)) {
        Some(answering) => Ok(Guarded(answering, whose)),
        None => Err(panicked()),
    }
}

fn panicked() -> Fault {
    Fault::new("Internal", "the handler panicked")
}

/// What a predicate says; one that panics denies.
pub(crate) fn accepted(whose: impl FnOnce() -> Whose, ask: impl FnOnce() -> bool) -> bool {
    accepting(whose, ask).unwrap_or(false)
}

/// What `ask` returns; `None` if it panics, which denies.
pub(crate) fn accepting<T>(whose: impl FnOnce() -> Whose, ask: impl FnOnce() -> T) -> Option<T> {
    caught(ask, |panic| whose().log("the predicate of a domain", panic))
}

/// Drops a handler that is not to run: this may be the last that holds it.
pub(crate) fn dropped<T>(handler: T) {
    caught(
        move || drop(handler),
        |panic| tracing::error!(panic, "a handler panicked as it was dropped"),
    );
}
