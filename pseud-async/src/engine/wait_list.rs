//! Futures that wait for the same thing, however many come and go before it happens.

use atomic_waker::AtomicWaker;
use std::sync::{Arc, Weak};
use std::task::Waker;

/// Who waits for one thing. A future that was dropped is swept out, not left until it happens.
#[derive(Debug, Default)]
pub(crate) struct WaitList(Vec<Weak<AtomicWaker>>);

/// One future's place in one wait list; a clone's is its own.
#[derive(Debug, Default)]
pub(crate) struct WaitHandle(Arc<AtomicWaker>);

impl Clone for WaitHandle {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl WaitHandle {
    /// Whom to wake. Before the lock is taken, since it drops whoever was known here.
    pub(crate) fn register(&self, waker: &Waker) {
        self.0.register(waker);
    }
}

impl WaitList {
    /// Lets a future wait, unless it does already.
    pub(crate) fn join(&mut self, place: &WaitHandle) {
        if Arc::weak_count(&place.0) > 0 {
            return;
        }
        if self.0.len() == self.0.capacity() {
            self.0.retain(|known| known.strong_count() > 0);
            self.0.reserve(self.0.len().max(4));
        }
        self.0.push(Arc::downgrade(&place.0));
    }

    /// It happened: whoever waited is woken. Under no lock.
    #[cfg(feature = "rpcudp")]
    pub(crate) fn wake(self) {
        self.into_wakers().for_each(Waker::wake);
    }

    /// It happened: who waited, each to be woken once the lock is released.
    #[cfg(feature = "rpcudp")]
    pub(crate) fn into_wakers(mut self) -> impl Iterator<Item = Waker> {
        self.leave().into_iter().filter_map(|known| known.take())
    }

    /// It happened: whom to wake once the lock is released.
    pub(crate) fn leave(&mut self) -> Vec<Arc<AtomicWaker>> {
        std::mem::take(&mut self.0).into_iter().filter_map(|known| known.upgrade()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_and_goes_leaves_no_room_behind() {
        let mut wait_list = WaitList::default();
        let stays = WaitHandle::default();
        for _ in 0..1_000 {
            wait_list.join(&stays);
            wait_list.join(&WaitHandle::default());
        }
        assert!(wait_list.0.capacity() <= 16, "{}", wait_list.0.capacity());
        assert_eq!(wait_list.leave().len(), 1);
        wait_list.join(&stays);
        assert_eq!(wait_list.leave().len(), 1, "it may wait again");
    }
}
