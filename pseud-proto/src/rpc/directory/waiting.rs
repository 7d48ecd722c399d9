//! Calls that begin to wait for somebody who is not there (Python's `send_message` in `pseud/common.py` tries
//! again after 100 ms at EHOSTUNREACH, a few times, and then tells nobody).

use crate::base::deadline::after;
use crate::call::WhenFull;
use crate::error::{CallRefused, Reason};
use crate::rpc::config::Limits;
use crate::rpc::directory::find::AbsentPeer;
use crate::rpc::directory::{Directory, Parking};
use crate::rpc::session::calling::{check_room, check_size};
use crate::rpc::session::entry::{NewCall, Place};
use std::time::Instant;

/// What became of a call for somebody who is not there.
///
/// Closed: a call waits or it does not.
#[derive(Debug)]
#[must_use = "a call that waits in vain is over"]
pub enum Waits {
    /// It waits.
    For(Parking),
    /// It is over at once, not executed: nobody will come, for that.
    InVain(Reason),
}

impl Directory {
    /// Lets a call wait for somebody who is not there, with a place in the budget: until its own
    /// deadline for the configured server, else for
    /// [`Config::unroutable_timeout`](crate::Config::unroutable_timeout).
    ///
    /// A call that [waits where there is no room](WhenFull::Wait) has then no such place, and is counted as one
    /// that waits for room. One that had a place has [given it up](crate::rpc::budget::Budget::give_up_call) before.
    ///
    /// # Errors
    /// A limit of ours stands in the way.
    pub fn wait(
        &mut self,
        wanted: AbsentPeer,
        mut call: NewCall,
        now: Instant,
    ) -> Result<Waits, CallRefused> {
        let AbsentPeer { whom, is_server, is_patient } = wanted;
        // One that waited before has given its place up.
        call.place = Place::None;
        let (pending, queued) = self.parked.size(&whom);
        check_size(&call.outbound, 0, &self.config, None)?;
        let room = check_room(&self.config.limits, pending, queued);
        let waits = call.when_full == WhenFull::Wait;
        room.clone().or_else(|full| if waits { Ok(()) } else { Err(full) })?;
        if let Some(why) = self.in_vain().filter(|_| is_server) {
            return Ok(Waits::InVain(why));
        }
        if self.is_shut_down() {
            return Ok(Waits::InVain(Reason::Shutdown));
        }
        match room.and_then(|()| self.budget.take_call(pending < Limits::CALLS_FEW)) {
            Ok(()) => call.place = Place::Pending,
            Err(_) if waits => self.budget.wait_for_room(&mut call),
            Err(full) => return Err(full),
        }
        let until = match is_patient {
            true => call.deadline,
            false => after(now, self.config.unroutable_timeout),
        };
        Ok(Waits::For(self.park(whom, call, until, is_server)))
    }
}
