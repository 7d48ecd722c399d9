//! What an operation gave rise to is done, behind the lock.

use super::blocking_jobs::JobOwner;
use super::effects::{Effects, Flush};
use super::hub::Hub;
use super::state::Inner;
use pseud_proto::PeerId;
use std::task::Waker;
use std::time::Instant;

impl Hub {
    /// Does something to the endpoint under the lock, and then what follows from it.
    pub(crate) fn act<R>(&self, act: impl FnOnce(&mut Inner, Instant) -> R) -> R {
        let (result, effects) = self.with(act);
        self.perform(effects, None);
        result
    }

    /// Does all that is to be done. `here` is the link in whose task this runs: it flushes itself when
    /// it is done, if this says so.
    pub(crate) fn perform(&self, effects: Effects, own_link: Option<PeerId>) -> bool {
        if effects.rearm {
            self.timer.wake();
        }
        effects.events.iter().for_each(|event| self.log(event));
        effects.withheld.into_iter().for_each(|withheld| self.withheld(withheld));
        for (link, reason) in effects.close {
            link.close(reason);
        }
        effects.left.iter().for_each(|peer| self.blocking.leave(JobOwner::Session(*peer)));
        let mut flush_here = false;
        for Flush { peer, link, quiet } in effects.flush {
            match (own_link == Some(peer), quiet) {
                (true, _) => flush_here = true,
                (false, true) => link.flush_now(),
                (false, false) => link.wake_to_flush(),
            }
        }
        effects.wakers.into_iter().for_each(Waker::wake);
        effects.wait_list.iter().for_each(|waker| waker.wake());
        flush_here
    }
}
