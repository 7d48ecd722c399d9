//! What a session gives rise to, noted down under its lock.

use super::backlog::Backlog;
use super::effects::Effects;
use super::refusals::withheld::Withheld;
use super::seated::{CancelWaiters, Cancelling};
use super::waiters::Waiters;
use atomic_waker::AtomicWaker;
use pseud_proto::peer::PeerInfo;
use pseud_proto::session::{Arrived, CallKey, Counted, EventCounts, IncomingWork, Sink};
use pseud_proto::{Outcome, RequestId, ShowingStep};
use std::sync::Arc;

/// Where a session's [`Sink`] writes to, with what lives beside it.
pub(crate) struct Noted<'a> {
    pub(crate) waiters: &'a mut Waiters,
    pub(super) cancelling: &'a mut Cancelling,
    pub(crate) effects: &'a mut Effects,
    pub(crate) counts: &'a EventCounts,
    /// Calls that wait for room at the session.
    pub(crate) backlog: &'a mut Option<Box<Backlog>>,
}

impl Noted<'_> {
    /// A request is about to be answered: who waits to hear that nobody waits for that any more.
    pub(crate) fn not_cancelled(&mut self, request: RequestId) {
        self.stop_waiting(request);
    }

    /// It is this session's turn to take what the node has room for.
    pub(crate) fn give_turn(&mut self) {
        self.backlog.iter_mut().for_each(|backlog| backlog.has_turn = true);
    }

    fn stop_waiting(&mut self, request: RequestId) {
        let Some(CancelWaiters(cancelling)) = self.cancelling.as_deref_mut() else { return };
        let waiting: Option<Vec<Arc<AtomicWaker>>> =
            cancelling.remove(&request).map(|mut wait_list| wait_list.leave());
        if cancelling.is_empty() {
            *self.cancelling = None;
        }
        if let Some(waiting) = waiting {
            self.effects.rare().wait_list.extend(waiting);
        }
    }
}

impl Sink for Noted<'_> {
    fn finish(&mut self, call: u64, outcome: Outcome) {
        if let Some(waker) = self.waiters.finish(call as usize, outcome) {
            self.effects.wakers.push(waker);
        }
    }

    /// By whoever serves what has arrived.
    fn answers_in_place(&self) -> bool {
        true
    }

    #[inline]
    fn serve_in_place(&mut self, arrived: Arrived, work: IncomingWork) {
        self.effects.arrived.push((arrived, work));
    }

    fn cancelled(&mut self, request: RequestId) {
        self.stop_waiting(request);
    }

    fn withheld(&mut self, caller: &Arc<PeerInfo>, name: &str) {
        let withheld = Withheld { caller: caller.clone(), name: name.to_owned() };
        self.effects.rare().withheld.push(withheld);
    }

    fn flush(&mut self) {
        self.effects.wants_flush = true;
    }

    /// By the application's own plug-in, if there is one, behind the lock.
    fn challenged(&mut self, call: CallKey) -> bool {
        self.effects.rare().challenged.push(call);
        true
    }

    fn showing(&mut self, step: ShowingStep) {
        self.effects.rare().showing.push(step);
    }

    fn count(&mut self, what: Counted) {
        self.counts.count(what);
    }
}
