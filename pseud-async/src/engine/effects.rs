//! What an operation on a session gives rise to, collected under its lock and done after it.

use super::any_link::AnyLink;
use super::refusals::withheld::Withheld;
use super::spare::{Spare, SpareKey};
use super::wakers::Wakers;
use atomic_waker::AtomicWaker;
use pseud_proto::ShowingStep;
use pseud_proto::session::{Arrived, CallKey, IncomingWork, NewCall};
use pseud_proto::zmtp::Question;
use smallvec::SmallVec;
use std::sync::Arc;

/// Things to do once the session's lock is released. Small, since it is handed on several times a call: what
/// hardly any call gives rise to is apart.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    pub(super) wakers: Wakers,
    /// The session has something for its link.
    pub(super) wants_flush: bool,
    pub(super) flush: Option<Flush>,
    /// The timer must be told.
    pub(super) rearm: bool,
    /// All sessions hold too much together.
    pub(super) is_over_budget: bool,
    /// A call of its begins to wait for what the node has no room for.
    pub(super) asks_for_room: bool,
    pub(crate) arrived: ArrivedRequests,
    pub(super) rare: Option<Box<RareEffects>>,
}

/// Those of a session's end, of logins, and of what goes wrong.
#[derive(Debug, Default)]
pub(super) struct RareEffects {
    pub(super) wait_list: Vec<Arc<AtomicWaker>>,
    pub(super) withheld: Vec<Withheld>,
    /// How far our own login there has come by this.
    pub(super) showing: SmallVec<[ShowingStep; 1]>,
    /// Calls that wait for a login, if somebody wants them to.
    pub(super) challenged: SmallVec<[CallKey; 1]>,
    /// The session has ended by this; its link, if that lives.
    pub(super) ended: Option<Option<Arc<dyn AnyLink>>>,
    /// Calls that waited for room and are over, to be dropped.
    pub(super) given_up: Vec<NewCall>,
}

thread_local! {
    /// Requests, from their arrival to their turn.
    pub(crate) static REQUESTS: Spare<ArrivedRequest> = const { Spare::new() };
}

/// A request, and the right to answer it.
pub(crate) type ArrivedRequest = (Arrived, IncomingWork);

/// Requests that one read brought: for the link that has read them to have them served. Nothing else
/// gives rise to any.
#[derive(Debug, Default)]
pub(crate) struct ArrivedRequests {
    pub(crate) requests: Vec<ArrivedRequest>,
    /// What its peer shows to log in: it is not asked about twice at a time.
    pub(crate) login: Option<Box<Question>>,
}

impl ArrivedRequests {
    #[inline]
    pub(super) fn push(&mut self, request: ArrivedRequest) {
        if self.requests.capacity() == 0 {
            self.requests = REQUESTS.take();
        }
        self.requests.push(request);
    }

    fn is_empty(&self) -> bool {
        self.requests.is_empty() && self.login.is_none()
    }
}

#[derive(Debug)]
pub(super) struct Flush {
    pub(super) link: Arc<dyn AnyLink>,
    /// Nothing else is in flight at this peer: writing at once, here, saves a wake.
    pub(super) quiet: bool,
}

impl Effects {
    /// What was done is forgotten; what was taken out is gone already.
    pub(crate) fn begin(&mut self) {
        (self.wants_flush, self.rearm) = (false, false);
        (self.is_over_budget, self.asks_for_room) = (false, false);
    }

    /// What the session has for its link is pulled in this very visit.
    pub(crate) fn pulled_here(&mut self) {
        self.wants_flush = false;
    }

    /// What is to be served.
    pub(crate) fn take_arrived(&mut self) -> ArrivedRequests {
        std::mem::take(&mut self.arrived)
    }

    /// How many requests are to be served.
    pub(crate) fn requests(&self) -> usize {
        self.arrived.requests.len()
    }

    /// How many will be woken, callers most of all.
    pub(crate) fn callers(&self) -> usize {
        self.wakers.len()
    }

    /// Its link is over, and is not to be told so.
    pub(crate) fn forget_link(&mut self) -> Option<Arc<dyn AnyLink>> {
        self.rare.as_mut()?.ended.as_mut().and_then(Option::take)
    }

    pub(super) fn rare(&mut self) -> &mut RareEffects {
        self.rare.get_or_insert_default()
    }

    /// Whether nothing is to be done.
    pub(crate) fn is_empty(&self) -> bool {
        self.is_done() && self.arrived.is_empty() && !self.asks_for_room
    }

    /// Whether nothing is to be done but to serve what has arrived.
    #[inline]
    pub(super) fn is_done(&self) -> bool {
        let nobody = self.wakers.is_empty() && self.rare.is_none();
        nobody && !self.is_over_budget && !self.rearm && self.flush.is_none()
    }
}
