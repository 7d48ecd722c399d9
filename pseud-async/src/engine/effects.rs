//! What an operation on a session gives rise to, collected under its lock and done after it.

use super::any_link::AnyLink;
use super::refusals::withheld::Withheld;
use atomic_waker::AtomicWaker;
use pseud_proto::session::NewCall;
use pseud_proto::zmtp::Question;
use pseud_proto::{Request, ShowingStep};
use smallvec::SmallVec;
use std::sync::Arc;
use std::task::Waker;

/// Things to do once the session's lock is released.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    pub(super) wakers: SmallVec<[Waker; 2]>,
    pub(super) wait_list: Vec<Arc<AtomicWaker>>,
    pub(super) withheld: Vec<Withheld>,
    /// How far our own login there has come by this.
    pub(super) showing: SmallVec<[ShowingStep; 1]>,
    /// The session has something for its link.
    pub(super) wants_flush: bool,
    pub(super) flush: Option<Flush>,
    /// The session has ended by this; its link, if that lives.
    pub(super) ended: Option<Option<Arc<dyn AnyLink>>>,
    /// The timer must be told.
    pub(super) rearm: bool,
    /// All sessions hold too much together.
    pub(super) is_over_budget: bool,
    /// A call of its begins to wait for what the node has no room for.
    pub(super) asks_for_room: bool,
    /// Calls that waited for room and are over, to be dropped.
    pub(super) given_up: Option<Vec<NewCall>>,
    pub(crate) arrived: ArrivedRequests,
}

/// Requests that one read brought: for the link that has read them to have them served. Nothing else
/// gives rise to any.
#[derive(Debug, Default)]
pub(crate) struct ArrivedRequests {
    pub(crate) requests: Vec<Request>,
    /// What its peer shows to log in: it is not asked about twice at a time.
    pub(crate) login: Option<Question>,
}

impl ArrivedRequests {
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
        self.ended.as_mut().and_then(Option::take)
    }

    /// Whether nothing is to be done.
    pub(crate) fn is_empty(&self) -> bool {
        let unsaid = self.withheld.is_empty() && self.showing.is_empty() && self.arrived.is_empty();
        let nobody = self.wakers.is_empty() && self.wait_list.is_empty();
        let stays = self.ended.is_none() && !self.is_over_budget && !self.rearm;
        let is_content = !self.asks_for_room && self.given_up.is_none();
        unsaid && nobody && stays && is_content && self.flush.is_none()
    }
}
