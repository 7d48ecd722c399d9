//! Panics of handlers and predicates: whose request was being served is said in the log.

use super::handler::{Answering, HandlerResult};
use super::request::Request;
use crate::engine::event::shown;
use crate::panics::{CatchUnwind, OnPanic, caught};
use pseud_proto::peer::PeerInfo;
use pseud_proto::{Fault, User};
use smol_str::SmolStr;
use std::sync::Arc;

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
        let address = address.as_str();
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

impl OnPanic for Whose {
    fn panicked(&self, text: &str) {
        self.handler_panicked(text);
    }
}

/// A handler whose panic is a fault of its own call and of nothing else.
pub(crate) type CaughtAnswer = CatchUnwind<HandlerResult, Whose>;

/// What such a handler answered.
pub(crate) fn answered(answer: Option<HandlerResult>) -> HandlerResult {
    answer.unwrap_or_else(|| Err(panicked()))
}

pub(crate) fn catch(whose: &Whose, run: impl FnOnce() -> HandlerResult) -> HandlerResult {
    answered(caught(run, |panic| whose.handler_panicked(panic)))
}

#[inline]
pub(crate) fn catch_future(
    whose: Whose,
    run: impl FnOnce() -> Answering,
) -> Result<CaughtAnswer, Fault> {
    match caught(run, |panic| whose.handler_panicked(panic)) {
        Some(answering) => Ok(CatchUnwind::new(answering, whose)),
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
