//! Panics of what users hand in: each is caught where it happens.

use crate::handler::{Answer, Answering};
use pseud_proto::Fault;
use std::any::Any;
use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

/// A handler whose panic is a fault of its own call and of nothing else.
pub(crate) struct Guarded(Answering);

impl Future for Guarded {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        match catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(cx))) {
            Ok(poll) => poll,
            Err(panic) => Poll::Ready(Err(panicked(&*panic))),
        }
    }
}

/// One that is dropped while it waits may panic as well.
impl Drop for Guarded {
    fn drop(&mut self) {
        let answering = std::mem::replace(&mut self.0, Box::pin(pending()));
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(answering)));
        let _ = dropped.map_err(|panic| log("a handler", &*panic));
    }
}

pub(crate) fn guarded(run: impl FnOnce() -> Answer) -> Answer {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| Err(panicked(&*panic)))
}

pub(crate) fn guarded_future(run: impl FnOnce() -> Answering) -> Result<Guarded, Fault> {
    let answering = catch_unwind(AssertUnwindSafe(run)).map_err(|panic| panicked(&*panic))?;
    Ok(Guarded(answering))
}

fn panicked(panic: &(dyn Any + Send)) -> Fault {
    log("a handler", panic);
    Fault::new("Internal", "the handler panicked")
}

/// What a predicate says; one that panics denies.
pub(crate) fn accepted(ask: impl FnOnce() -> bool) -> bool {
    accepting(ask).unwrap_or(false)
}

/// What `ask` returns; `None` if it panics, which denies.
pub(crate) fn accepting<T>(ask: impl FnOnce() -> T) -> Option<T> {
    let asked = catch_unwind(AssertUnwindSafe(ask));
    asked.map_err(|panic| log("the predicate of a domain", &*panic)).ok()
}

/// The panic's text stays in our log: it is ours to read, not the peer's.
fn log(who: &str, panic: &(dyn Any + Send)) {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = text.unwrap_or("?"), "{who} panicked");
}
