//! What an operation under the node's lock gives rise to, done after it.

use super::event::KeptEvent;
use super::hub::Hub;
use super::hub::Inner;
use atomic_waker::AtomicWaker;
use std::sync::Arc;
use std::task::Waker;

/// Things to do once the node's lock is released.
#[derive(Debug, Default)]
pub(crate) struct NodeEffects {
    events: Vec<KeptEvent>,
    wakers: Vec<Waker>,
    pub(super) wait_list: Vec<Arc<AtomicWaker>>,
}

impl NodeEffects {
    /// Watchers are told.
    pub(super) fn tell(&mut self, inner: &mut Inner, event: KeptEvent) {
        self.wakers.extend(inner.watchers.notify(&event));
        self.events.push(event);
    }
}

impl Hub {
    /// Does something under the node's lock, and then what follows from it.
    pub(crate) fn happen<R>(&self, act: impl FnOnce(&mut Inner, &mut NodeEffects) -> R) -> R {
        let mut happened = NodeEffects::default();
        let mut inner = self.lock();
        let result = act(&mut inner, &mut happened);
        self.changed();
        let rearm = self.arm_directory(&inner);
        drop(inner);
        if rearm {
            self.timer.wake();
        }
        happened.events.iter().for_each(|event| self.log(event));
        happened.wakers.into_iter().for_each(Waker::wake);
        happened.wait_list.iter().for_each(|waker| waker.wake());
        result
    }
}
