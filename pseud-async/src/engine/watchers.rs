//! Who watches links: a bounded queue each, which says what it lost.

use super::event::KeptEvent;
use slab::Slab;
use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

/// How many events wait for a watcher before the oldest are dropped.
const EVENTS_MAX: usize = 256;
/// Room for so many is kept while none waits.
const KEPT_MAX: usize = 16;

#[derive(Debug, Default)]
pub(crate) struct Watcher {
    events: VecDeque<KeptEvent>,
    lost: u64,
    /// How many events there were for it, those that it lost among them.
    happened: u64,
    waker: Option<Waker>,
    /// It is told of sessions alone: what else happens cannot drive those out.
    only_sessions: bool,
}

/// See [`Watchers::progress`].
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct WatcherProgress {
    pub(crate) happened: u64,
    pub(crate) over: u64,
}

/// All who watch.
#[derive(Debug, Default)]
pub(crate) struct Watchers(Slab<Watcher>);

impl Watchers {
    pub(crate) fn join(&mut self) -> usize {
        self.0.insert(Watcher::default())
    }

    /// One that is told when sessions begin and end, and of nothing else.
    pub(crate) fn join_for_sessions(&mut self) -> usize {
        self.0.insert(Watcher { only_sessions: true, ..Watcher::default() })
    }

    /// What is returned is to be dropped behind the lock.
    pub(crate) fn leave(&mut self, key: usize) -> Option<Watcher> {
        self.0.try_remove(key)
    }

    /// Tells everybody; returns whom to wake.
    pub(crate) fn notify(&mut self, event: &KeptEvent) -> Vec<Waker> {
        let mut wakers = Vec::new();
        let is_session = matches!(
            event,
            KeptEvent::Connected { .. }
                | KeptEvent::LoggedIn { .. }
                | KeptEvent::Disconnected { .. }
        );
        for (_, watcher) in &mut self.0 {
            if watcher.only_sessions && !is_session {
                continue;
            }
            if watcher.events.len() == EVENTS_MAX {
                watcher.events.pop_front();
                watcher.lost += 1;
            }
            watcher.events.push_back(event.clone());
            watcher.happened += 1;
            wakers.extend(watcher.waker.take());
        }
        wakers
    }

    pub(crate) fn wake_all(&mut self) -> Vec<Waker> {
        self.0.iter_mut().filter_map(|(_, watcher)| watcher.waker.take()).collect()
    }

    /// What that watcher is told next, `None` where all was told; and a waker to be dropped behind the lock. `is_over`: nothing more
    /// will happen.
    pub(crate) fn poll_next(
        &mut self,
        key: usize,
        is_over: bool,
        cx: &mut Context<'_>,
    ) -> (Poll<Option<KeptEvent>>, Option<Waker>) {
        let Some(watcher) = self.0.get_mut(key) else { return (Poll::Ready(None), None) };
        if watcher.lost > 0 {
            let lagged = KeptEvent::Lagged(std::mem::take(&mut watcher.lost));
            return (Poll::Ready(Some(lagged)), None);
        }
        match watcher.events.pop_front() {
            Some(event) => (Poll::Ready(Some(event)), None),
            None if is_over => (Poll::Ready(None), None),
            None => {
                if watcher.events.capacity() > KEPT_MAX {
                    watcher.events = VecDeque::new();
                }
                (Poll::Pending, watcher.waker.replace(cx.waker().clone()))
            }
        }
    }

    /// How many events there were for that watcher, and how many of them it was told, or has lost: no more
    /// of those will come.
    pub(crate) fn progress(&self, key: usize) -> WatcherProgress {
        let Some(watcher) = self.0.get(key) else { return WatcherProgress::default() };
        let (happened, waiting) = (watcher.happened, watcher.events.len() as u64);
        WatcherProgress { happened, over: happened - waiting }
    }

    /// Forgets what waits to be told to that watcher; it is to be dropped behind the lock.
    pub(crate) fn forget(&mut self, key: usize) -> VecDeque<KeptEvent> {
        let Some(watcher) = self.0.get_mut(key) else { return VecDeque::new() };
        watcher.lost = 0;
        std::mem::take(&mut watcher.events)
    }
}
