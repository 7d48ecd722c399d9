//! What an operation on the endpoint gives rise to, collected under the lock and done after it.

use super::any_link::AnyLink;
use super::event::KeptEvent;
use super::refusals::withheld::Withheld;
use super::running::Running;
use super::state::Inner;
use atomic_waker::AtomicWaker;
use pseud_proto::zmtp::Question;
use pseud_proto::{Action, PeerId, Reason, Request};
use smallvec::SmallVec;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;

/// Things to do once the hub's lock is released.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    pub(super) wakers: SmallVec<[Waker; 2]>,
    pub(super) wait_list: Vec<Arc<AtomicWaker>>,
    pub(super) events: Vec<KeptEvent>,
    pub(super) withheld: Vec<Withheld>,
    pub(super) flush: SmallVec<[Flush; 1]>,
    pub(super) close: Vec<(Arc<dyn AnyLink>, Reason)>,
    pub(super) left: SmallVec<[PeerId; 1]>,
    pub(super) rearm: bool,
    arrived: ArrivedRequests,
}

/// Requests that one read brought: for the link that has read them to have them served. Nothing else
/// gives rise to any.
#[derive(Debug, Default)]
pub(crate) struct ArrivedRequests {
    pub(crate) requests: Vec<Request>,
    /// What its peer shows to log in: it is not asked about twice at a time.
    pub(crate) login: Option<Question>,
    /// The hub's `closings` when they were taken.
    pub(crate) closings: usize,
}

impl ArrivedRequests {
    fn is_empty(&self) -> bool {
        self.requests.is_empty() && self.login.is_none()
    }
}

#[derive(Debug)]
pub(super) struct Flush {
    pub(super) peer: PeerId,
    pub(super) link: Arc<dyn AnyLink>,
    /// Nothing else is in flight at this peer: writing at once, here, saves a wake.
    pub(super) quiet: bool,
}

impl Effects {
    /// Takes the endpoint's actions, and notes whether the timer must be told. `running`: handlers that
    /// have not ended.
    pub(crate) fn settle(&mut self, inner: &mut Inner, running: &Running) {
        self.collect(inner);
        if !inner.idling.is_empty() && inner.is_idle(running) {
            self.wait_list.extend(inner.idling.leave());
        }
        let next = inner.endpoint.poll_timeout();
        if let Some(next) = next
            && inner.armed.is_none_or(|armed| next < armed)
        {
            inner.armed = Some(next);
            self.rearm = true;
        }
    }

    /// What is to be served.
    pub(crate) fn take_arrived(&mut self) -> ArrivedRequests {
        std::mem::take(&mut self.arrived)
    }

    /// Takes the endpoint's actions.
    pub(crate) fn collect(&mut self, inner: &mut Inner) {
        while let Some(action) = inner.endpoint.poll_action() {
            match action {
                Action::Serve(request) => self.arrived.requests.push(request),
                Action::Finish { call, outcome } => {
                    self.wakers.extend(inner.waiters.finish(call, outcome));
                }
                Action::Flush(peer) => self.flush(inner, peer),
                Action::Joined(peer, info) => {
                    self.wait_list.extend(inner.joining.leave());
                    let joined = inner.joined(peer, info);
                    self.happen(joined);
                }
                Action::Login(_, question) => self.arrived.login = Some(question),
                Action::LoggedIn(peer, info) => {
                    self.wait_list.extend(inner.joining.leave());
                    let logged_in = inner.logged_in(peer, info);
                    self.happen(logged_in);
                }
                Action::Showing(peer, step) => {
                    if let Some(shown) = inner.showing(peer, step) {
                        self.happen(shown);
                    }
                }
                Action::Left(peer, reason) => {
                    self.left.push(peer);
                    if let Some(left) = inner.left(peer, reason) {
                        self.happen(left);
                    }
                }
                Action::Close(peer, reason) => {
                    self.close.extend(inner.detach(peer).map(|link| (link, reason)));
                }
                Action::Cancelled(request) => {
                    let waiting = inner.cancelling.remove(&request);
                    self.wait_list
                        .extend(waiting.into_iter().flat_map(|mut wait_list| wait_list.leave()));
                }
                Action::Withheld { caller, name } => self.withheld.push(Withheld { caller, name }),
                // `Action` may grow; this hub asks for nothing that it does not know.
                _ => {}
            }
        }
    }

    /// How many requests are to be served.
    pub(crate) fn requests(&self) -> usize {
        self.arrived.requests.len()
    }

    /// How many will be woken, callers most of all.
    pub(crate) fn callers(&self) -> usize {
        self.wakers.len()
    }

    /// Notes, under that lock, whether sessions end by this because we want no more of them.
    pub(crate) fn count_closings(&mut self, closings: &AtomicUsize) {
        let is_wanted = |(_, reason): &_| {
            let ours = [Reason::Revoked, Reason::Draining, Reason::Disconnected, Reason::Shutdown];
            ours.contains(reason)
        };
        if self.close.iter().any(is_wanted) {
            closings.fetch_add(1, Ordering::Release);
        }
        self.arrived.closings = closings.load(Ordering::Relaxed);
    }

    fn happen(&mut self, (event, wakers): (KeptEvent, Vec<Waker>)) {
        self.events.push(event);
        self.wakers.extend(wakers);
    }

    fn flush(&mut self, inner: &Inner, peer: PeerId) {
        if let Some(link) = inner.link(peer).filter(|link| !link.will_flush()) {
            let quiet = inner.endpoint.is_quiet(peer);
            self.flush.push(Flush { peer, link: link.clone(), quiet });
        }
    }

    /// Whether nothing is to be done.
    pub(crate) fn is_empty(&self) -> bool {
        let Self { wakers, wait_list, events, flush, close, left, rearm, withheld, arrived } = self;
        let unsaid = events.is_empty() && withheld.is_empty();
        let nobody = wakers.is_empty() && wait_list.is_empty() && unsaid;
        nobody
            && arrived.is_empty()
            && flush.is_empty()
            && close.is_empty()
            && left.is_empty()
            && !rearm
    }
}
