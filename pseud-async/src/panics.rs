//! Panics of what users hand in: each is caught where it happens, and so is one of its payload's drop.

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

/// Who hears of a future's panic.
pub(crate) trait OnPanic: Unpin {
    /// It panicked with that text, as it was polled or dropped.
    fn panicked(&self, text: &str);
}

/// A user's future.
type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A future of a user's: `None` if it panics. It may panic as it is dropped, too, also where it only
/// waited.
pub(crate) struct CatchUnwind<T: 'static, P: OnPanic>(Boxed<T>, P);

impl<T, P: OnPanic> CatchUnwind<T, P> {
    pub(crate) fn new(future: Boxed<T>, on_panic: P) -> Self {
        Self(future, on_panic)
    }
}

impl<T, P: OnPanic> Future for CatchUnwind<T, P> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let Self(future, on_panic) = &mut *self;
        match caught(|| future.as_mut().poll(cx), |text| on_panic.panicked(text)) {
            Some(polled) => polled.map(Some),
            None => Poll::Ready(None),
        }
    }
}

impl<T, P: OnPanic> Drop for CatchUnwind<T, P> {
    fn drop(&mut self) {
        let future = std::mem::replace(&mut self.0, Box::pin(pending()));
        caught(move || drop(future), |text| self.1.panicked(text));
    }
}
