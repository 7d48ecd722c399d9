//! A place for a call is free again: whose turn is it?

use super::hub::Hub;

impl Hub {
    /// A place may have become free, or somebody have begun to wait for one.
    #[inline]
    pub(crate) fn look_for_room(&self) {
        if self.room.is_wanted(false) {
            self.give_turns();
        }
    }

    fn give_turns(&self) {
        let room_for = |few| self.budget.has_room_for_call(few);
        self.room.give_turns(room_for, |peer| {
            let seat = self.lock().seat(peer);
            if let Some(seat) = seat {
                seat.act(|_, noted| noted.give_turn());
            }
        });
    }
}
