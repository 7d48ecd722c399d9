//! A place for a call is free again: whose turn is it?

use super::hub::Hub;
use std::sync::atomic::Ordering;

impl Hub {
    /// A place may have become free, or somebody have begun to wait for one.
    pub(crate) fn look_for_room(&self) {
        // One at a time: each looks again whether that was all.
        while self.room.is_wanted(false)
            && self.budget.has_room_for_call(true)
            && !self.room.is_giving.swap(true, Ordering::SeqCst)
        {
            let next = self.room.next(|few| self.budget.has_room_for_call(few));
            let seat = next.and_then(|peer| self.lock().seat(peer));
            if let Some(seat) = seat {
                seat.act(|_, noted| noted.give_turn());
            }
            self.room.is_giving.store(false, Ordering::SeqCst);
            if next.is_none() {
                return;
            }
        }
    }
}
