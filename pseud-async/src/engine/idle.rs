//! Whether nothing is open, and who waits for that.

use super::hub::Hub;
use super::seat::Seat;
use super::wait_list::WaitHandle;
use pseud_proto::session::Sink;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;

impl Hub {
    /// Takes no new requests from now on.
    pub(crate) fn drain(&self) {
        self.budget.close();
        // In this order: whoever watches looks whether we drain after it has said that it waits.
        let watching = self.lock().watchers.wake_all();
        watching.into_iter().for_each(Waker::wake);
        // From here on sessions count what they owe by themselves; these may have owed before.
        let seats: Vec<Arc<Seat>> = self.lock().seats().cloned().collect();
        for seat in seats {
            seat.act(|session, noted| {
                session.note_owing();
                if session.awaits_written() {
                    // What its link has written may not have been told yet.
                    noted.flush();
                }
            });
        }
    }

    /// Whether [`drain`](Self::drain) was called, or the node has ended.
    pub(crate) fn drains(&self) -> bool {
        self.budget.is_closed()
    }

    /// Whether nothing is open and no handler runs, also none of callers that have left; else that one is
    /// woken when it is so. After [`drain`](Self::drain).
    pub(crate) fn is_idle_or_wait(&self, place: &WaitHandle) -> bool {
        let mut inner = self.lock();
        if inner.shut_down {
            return true;
        }
        inner.idling.join(place);
        drop(inner);
        // In this order: whoever ends the last that is open looks for who waits after that.
        self.is_idling.store(true, Ordering::SeqCst);
        self.budget.is_idle()
    }

    /// Something may have been the last that was open.
    #[inline]
    pub(crate) fn look_idle(&self) {
        if self.is_idling.load(Ordering::SeqCst) {
            self.end_idling();
        }
    }

    fn end_idling(&self) {
        if !self.budget.is_idle() {
            return;
        }
        self.is_idling.store(false, Ordering::SeqCst);
        let idling = self.lock().idling.leave();
        idling.iter().for_each(|waker| waker.wake());
    }
}
