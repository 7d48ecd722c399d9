//! Sessions end.

use super::event::KeptEvent;
use super::hub::Hub;
use super::seat::Seat;
use pseud_proto::Reason;
use std::sync::atomic::Ordering;

impl Hub {
    /// A session has ended: said by whoever finds it so, perhaps again. Whoever has its name now is sent
    /// what waited for that.
    pub(crate) fn left(&self, seat: &Seat) {
        let Some(reason) = seat.over() else { return };
        let mut detached = None;
        let heir = self.happen(|inner, happened| {
            let left = inner.directory.leave(seat.peer)?;
            detached = inner.detach(seat.peer);
            if detached.as_ref().is_some_and(|present| present.is_announced) {
                happened.tell(inner, KeptEvent::lost(seat.peer, &left.info, reason));
            }
            let successor = left.successor?;
            let calls = inner.directory.waiting_for(successor);
            let waiting = inner.waiting(calls);
            Some((inner.seat(successor)?, waiting))
        });
        drop(detached);
        if let Some((heir, waiting)) = heir {
            self.deliver(&heir, waiting);
        }
    }

    /// All hold too much together: whoever holds most does not read.
    pub(crate) fn close_largest(&self) {
        // One at a time: each looks again whether that was enough.
        while self.budget.is_over() && !self.is_closing_largest.swap(true, Ordering::AcqRel) {
            let inner = self.lock();
            let largest = inner.directory.largest_holder().and_then(|peer| inner.seat(peer));
            drop(inner);
            let closed = largest.map(|largest| largest.end(Reason::SlowPeer));
            self.is_closing_largest.store(false, Ordering::Release);
            if closed.is_none() {
                return;
            }
        }
    }
}
