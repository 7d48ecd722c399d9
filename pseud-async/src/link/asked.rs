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
        let known = self.lock().take_if(|asked| asked.denied.is_none());
        drop(known);
    }

    pub(super) fn deny(&self, who: String) {
        self.lock().get_or_insert_default().denied.get_or_insert(who.into());
    }

    /// Who was not let in.
    pub(super) fn denied(&self) -> Option<Box<str>> {
        self.lock().as_ref()?.denied.clone()
    }
}
