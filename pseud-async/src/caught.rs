//! Panics of what users hand in: each is caught where it happens.

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
    fn log(&self, who: &str, panic: &(dyn Any + Send)) {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        let PeerInfo { address, user, .. } = &*self.info;
        let (peer, by) = (shown(&self.info.identity), self.origin.as_ref().map(|_| user));
        let user = Some(self.origin.as_ref().unwrap_or(user)).filter(|user| !user.is_anonymous());
        let [user, by] = [user, by].map(|user| user.map(tracing::field::display));
        let method = self.method.escape_debug();
        let panic = text.unwrap_or("?");
        tracing::error!(%method, peer, address, user, forwarded_by = by, panic, "{who} panicked");
    }
}

/// A handler whose panic is a fault of its own call and of nothing else.
pub(crate) struct Guarded(Answering, Whose);

impl Future for Guarded {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        match catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(cx))) {
            Ok(poll) => poll,
            Err(panic) => Poll::Ready(Err(panicked(&self.1, &*panic))),
        }
    }
}

/// One that is dropped while it waits may panic as well.
impl Drop for Guarded {
    fn drop(&mut self) {
        let answering = std::mem::replace(&mut self.0, Box::pin(pending()));
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(answering)));
        let _ = dropped.map_err(|panic| self.1.log("a handler", &*panic));
    }
}

pub(crate) fn guarded(whose: &Whose, run: impl FnOnce() -> Answer) -> Answer {
    let ran = catch_unwind(AssertUnwindSafe(run));
    ran.unwrap_or_else(|panic| Err(panicked(whose, &*panic)))
}

pub(crate) fn guarded_future(
    whose: Whose,
    run: impl FnOnce() -> Answering,
) -> Result<Guarded, Fault> {
    let begun = catch_unwind(AssertUnwindSafe(run));
    match begun.map_err(|panic| panicked(&whose, &*panic)) {
        Ok(answering) => Ok(Guarded(answering, whose)),
        Err(fault) => Err(fault),
    }
}

fn panicked(whose: &Whose, panic: &(dyn Any + Send)) -> Fault {
    whose.log("a handler", panic);
    Fault::new("Internal", "the handler panicked")
}

/// What a predicate says; one that panics denies.
pub(crate) fn accepted(whose: impl FnOnce() -> Whose, ask: impl FnOnce() -> bool) -> bool {
    accepting(whose, ask).unwrap_or(false)
}

/// What `ask` returns; `None` if it panics, which denies.
pub(crate) fn accepting<T>(whose: impl FnOnce() -> Whose, ask: impl FnOnce() -> T) -> Option<T> {
    let asked = catch_unwind(AssertUnwindSafe(ask));
    asked.map_err(|panic| whose().log("the predicate of a domain", &*panic)).ok()
}
