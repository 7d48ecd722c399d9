//! What an operation on the endpoint gives rise to, collected under the lock and done after it.

use crate::events::Happened;
use crate::hub::{Hub, Inner};
use crate::link::AnyLink;
use crate::running::Running;
use crate::serve;
use crate::withheld::Withheld;
use atomic_waker::AtomicWaker;
use pseud_proto::{Action, PeerId, Reason};
use smallvec::SmallVec;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;

/// Things to do once the hub's lock is released.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    wakers: SmallVec<[Waker; 2]>,
    crowd: Vec<Arc<AtomicWaker>>,
    happened: Vec<Happened>,
    withheld: Vec<Withheld>,
    requests: Vec<pseud_proto::Request>,
    /// [`Hub::closings`] when the requests were taken.
    closings: usize,
    flush: SmallVec<[Flush; 1]>,
    close: Vec<(Arc<dyn AnyLink>, Reason)>,
    pub(crate) rearm: bool,
}

#[derive(Debug)]
struct Flush {
    peer: PeerId,
    link: Arc<dyn AnyLink>,
    /// Nothing else is in flight at this peer: writing at once, here, saves a wake.
    quiet: bool,
}

impl Effects {
    /// `running`: handlers that have not ended.
    pub(crate) fn collect(&mut self, inner: &mut Inner, running: &Running) {
        while let Some(action) = inner.endpoint.poll_action() {
            match action {
                Action::Serve(request) => self.requests.push(request),
                Action::Finish { call, outcome } => {
                    self.wakers.extend(inner.waiters.finish(call, outcome));
                }
                Action::Flush(peer) => self.flush(inner, peer),
                Action::Joined(peer, info) => {
                    self.crowd.extend(inner.joining.leave());
                    let joined = inner.joined(peer, info);
                    self.happen(joined);
                }
                Action::Left(peer, reason) => {
                    if let Some(left) = inner.left(peer, reason) {
                        self.happen(left);
                    }
                }
                Action::Close(peer, reason) => {
                    self.close.extend(inner.detach(peer).map(|link| (link, reason)));
                }
                Action::Cancelled(request) => {
                    let waiting = inner.cancelling.remove(&request);
                    self.crowd.extend(waiting.into_iter().flat_map(|mut crowd| crowd.leave()));
                }
                Action::Withheld { caller, name } => self.withheld.push(Withheld { caller, name }),
                // `Action` may grow; this hub asks for nothing that it does not know.
                _ => {}
            }
        }
        if !inner.idling.is_empty() && inner.is_idle(running) {
            self.crowd.extend(inner.idling.leave());
        }
    }

    /// Notes, under the hub's lock, whether sessions end by this because we want no more of them.
    pub(crate) fn count_closings(&mut self, closings: &AtomicUsize) {
        let is_wanted = |(_, reason): &_| {
            matches!(reason, Reason::Revoked | Reason::Disconnected | Reason::Shutdown)
        };
        if self.close.iter().any(is_wanted) {
            closings.fetch_add(1, Ordering::Release);
        }
        self.closings = closings.load(Ordering::Relaxed);
    }

    fn happen(&mut self, (happened, wakers): (Happened, Vec<Waker>)) {
        self.happened.push(happened);
        self.wakers.extend(wakers);
    }

    fn flush(&mut self, inner: &Inner, peer: PeerId) {
        if let Some(link) = inner.link(peer) {
            let quiet = inner.endpoint.is_quiet(peer);
            self.flush.push(Flush { peer, link: link.clone(), quiet });
        }
    }

    /// Whether nothing is to be done.
    pub(crate) fn is_empty(&self) -> bool {
        let Self { wakers, crowd, happened, requests, closings: _, flush, close, rearm, withheld } =
            self;
        let unsaid = happened.is_empty() && withheld.is_empty();
        let nobody = wakers.is_empty() && crowd.is_empty() && unsaid;
        nobody && requests.is_empty() && flush.is_empty() && close.is_empty() && !rearm
    }

    /// Does it all. `here` is the link in whose task this runs: it flushes itself when it is done.
    pub(crate) fn run(self, hub: &Arc<Hub>, here: Option<PeerId>) -> bool {
        if self.rearm {
            hub.timer.wake();
        }
        self.happened.iter().for_each(|happened| happened.log(hub));
        self.withheld.into_iter().for_each(|withheld| hub.withheld(withheld));
        for (link, reason) in self.close {
            link.close(reason);
        }
        let mut flush_here = false;
        for Flush { peer, link, quiet } in self.flush {
            match (here == Some(peer), quiet) {
                (true, _) => flush_here = true,
                (false, true) => link.flush_now(hub),
                (false, false) => link.wake_to_flush(),
            }
        }
        self.wakers.into_iter().for_each(Waker::wake);
        self.crowd.iter().for_each(|waker| waker.wake());
        flush_here | serve::serve_all(hub, self.requests, self.closings, here)
    }
}
