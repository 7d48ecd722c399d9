//! Whom to wake once a lock is released.

use super::spare::{Spare, SpareKey};
use std::task::Waker;

thread_local! {
    static MORE: Spare<Waker> = const { Spare::new() };
}

/// Wakers, in the order in which they are to be woken. One of them takes no room.
#[derive(Debug, Default)]
pub(crate) struct Wakers {
    first: Option<Waker>,
    more: Vec<Waker>,
}

impl Wakers {
    pub(crate) fn push(&mut self, waker: Waker) {
        if self.first.is_none() {
            self.first = Some(waker);
            return;
        }
        if self.more.capacity() == 0 {
            self.more = MORE.take();
        }
        self.more.push(waker);
    }

    pub(crate) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.more.len()
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Wakes all of them.
    #[inline]
    pub(crate) fn wake(&mut self) {
        self.first.take().into_iter().for_each(Waker::wake);
        if self.more.capacity() > 0 {
            let mut more = std::mem::take(&mut self.more);
            more.drain(..).for_each(Waker::wake);
            MORE.keep(more);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};
    use std::task::Wake;

    struct Noted(usize, Arc<Mutex<Vec<usize>>>);

    impl Wake for Noted {
        fn wake(self: Arc<Self>) {
            self.1.lock().unwrap().push(self.0);
        }
    }

    #[test]
    fn all_are_woken_in_order_and_once() {
        let (mut wakers, woken) = (Wakers::default(), Arc::default());
        for count in [0, 1, 2, 40, 1] {
            (0..count).for_each(|n| wakers.push(Arc::new(Noted(n, Arc::clone(&woken))).into()));
            assert_eq!((wakers.len(), wakers.is_empty()), (count, count == 0));
            wakers.wake();
            wakers.wake();
            let woken = std::mem::take(&mut *woken.lock().unwrap());
            assert_eq!(woken, (0..count).collect::<Vec<_>>());
        }
    }
}
