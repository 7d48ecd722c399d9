//! What a link has while somebody is asked about its peer: idle links have none.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

/// Boxed where there is something.
#[derive(Default)]
pub(super) struct AskedPeer(Mutex<Option<Box<AskedAbout>>>);

#[derive(Default)]
struct AskedAbout {
    /// Who asks, to hear that the answer is for nobody any more.
    asking: Option<Waker>,
    /// Who was not let in.
    denied: Option<Box<str>>,
}

impl AskedPeer {
    fn lock(&self) -> MutexGuard<'_, Option<Box<AskedAbout>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who asks is to be woken when the link has ended; to be said before looking whether it has.
    pub(super) fn register(&self, waker: &Waker) {
        let known = self.lock().get_or_insert_default().asking.replace(waker.clone());
        drop(known);
    }

    /// The link has ended.
    pub(super) fn wake(&self) {
        let asking = self.lock().as_mut().and_then(|asked| asked.asking.take());
        asking.into_iter().for_each(Waker::wake);
    }

    /// Nobody asks any more.
    pub(super) fn answered(&self) {
        let mut asked = self.lock();
        let asking = asked.as_mut().and_then(|asked| asked.asking.take());
        asked.take_if(|asked| asked.denied.is_none());
        drop(asked);
        drop(asking);
    }

    pub(super) fn deny(&self, who: String) {
        self.lock().get_or_insert_default().denied.get_or_insert(who.into());
    }

    /// Who was not let in.
    pub(super) fn denied(&self) -> Option<Box<str>> {
        self.lock().as_ref()?.denied.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::task::Wake;

    struct Task;
    impl Wake for Task {
        fn wake(self: Arc<Self>) {}
    }

    #[test]
    fn who_was_answered_is_let_go() {
        let (asked, task) = (AskedPeer::default(), Arc::new(Task));
        asked.register(&task.clone().into());
        asked.deny("somebody".to_owned());
        asked.answered();
        assert_eq!(Arc::strong_count(&task), 1, "the waker of a task that has ended is kept");
    }

    #[test]
    fn a_wake_is_never_lost() {
        use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
        struct Count(AtomicUsize);
        impl Wake for Count {
            fn wake(self: Arc<Self>) {
                self.0.fetch_add(1, Ordering::SeqCst);
            }
        }
        for _ in 0..20_000 {
            let (asked, ended) = (Arc::new(AskedPeer::default()), Arc::new(AtomicBool::new(false)));
            let count = Arc::new(Count(AtomicUsize::new(0)));
            let (a, e) = (asked.clone(), ended.clone());
            let end = std::thread::spawn(move || {
                e.swap(true, Ordering::AcqRel);
                a.wake();
            });
            asked.register(&count.clone().into());
            let saw = ended.load(Ordering::Acquire);
            end.join().unwrap();
            assert!(saw || count.0.load(Ordering::SeqCst) == 1);
        }
    }
}
