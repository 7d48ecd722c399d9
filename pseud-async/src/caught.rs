//! Panics of what users hand in: each is caught where it happens, and so is one of its payload's drop.

use crate::handler::{Answer, Answering};
use pseud_proto::Fault;
use std::any::Any;
use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
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

/// A handler whose panic is a fault of its own call and of nothing else.
pub(crate) struct Guarded(Answering);

impl Future for Guarded {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        let polled = caught(|| self.0.as_mut().poll(cx), handler_panicked);
        polled.unwrap_or_else(|| Poll::Ready(Err(panicked())))
    }
}

/// One that is dropped while it waits may panic as well.
impl Drop for Guarded {
    fn drop(&mut self) {
        let answering = std::mem::replace(&mut self.0, Box::pin(pending()));
        caught(move || drop(answering), handler_panicked);
    }
}

pub(crate) fn guarded(run: impl FnOnce() -> Answer) -> Answer {
    caught(run, handler_panicked).unwrap_or_else(|| Err(panicked()))
}

pub(crate) fn guarded_future(run: impl FnOnce() -> Answering) -> Result<Guarded, Fault> {
    caught(run, handler_panicked).map(Guarded).ok_or_else(panicked)
}

fn panicked() -> Fault {
    Fault::new("Internal", "the handler panicked")
}

/// What a predicate says; one that panics denies.
pub(crate) fn accepted(ask: impl FnOnce() -> bool) -> bool {
    accepting(ask).unwrap_or(false)
}

/// What `ask` returns; `None` if it panics, which denies.
pub(crate) fn accepting<T>(ask: impl FnOnce() -> T) -> Option<T> {
    caught(ask, |panic| log("the predicate of a domain", panic))
}

/// Drops a handler that is not to run: this may be the last that holds it.
pub(crate) fn dropped<T>(handler: T) {
    caught(move || drop(handler), handler_panicked);
}

fn handler_panicked(panic: &str) {
    log("a handler", panic);
}

/// The panic's text stays in our log: it is ours to read, not the peer's.
fn log(who: &str, panic: &str) {
    tracing::error!(panic, "{who} panicked");
}
