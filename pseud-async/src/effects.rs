//! What an operation on the endpoint gives rise to, collected under the lock and done after it.

use crate::hub::{Hub, Inner};
use crate::link::AnyLink;
use crate::request;
use pseud_proto::{Action, PeerId, Reason};
use smallvec::SmallVec;
use std::sync::Arc;
use std::task::Waker;

/// Things to do once the hub's lock is released.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    wakers: SmallVec<[Waker; 2]>,
    requests: Vec<pseud_proto::Request>,
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
    pub(crate) fn collect(&mut self, inner: &mut Inner) {
        while let Some(action) = inner.endpoint.poll_action() {
            match action {
                Action::Serve(request) => self.requests.push(request),
                Action::Finish { call, outcome } => {
                    self.wakers.extend(inner.waiters.finish(call, outcome));
                }
                Action::Flush(peer) => self.flush(inner, peer),
                Action::Joined(peer, info) => {
                    let (identity, address) = (info.identity.escape_ascii(), &info.address);
                    tracing::info!(%identity, %address, "peer ready");
                    self.wakers.extend(inner.joining.drain(..));
                    self.wakers.extend(inner.joined(peer, info.identity.to_vec(), info.address));
                }
                Action::Left(peer, reason) => {
                    self.wakers.extend(inner.left(peer, reason));
                }
                Action::Close(peer, reason) => {
                    self.close.extend(inner.detach(peer).map(|link| (link, reason)));
                }
                Action::Cancelled(request) => {
                    self.wakers.extend(inner.cancelling.remove(&request).unwrap_or_default());
                }
                other => tracing::debug!(?other, "an action that this hub does not know"),
            }
        }
        if !inner.idling.is_empty() && inner.endpoint.is_idle() {
            self.wakers.extend(inner.idling.drain(..));
        }
    }

    fn flush(&mut self, inner: &Inner, peer: PeerId) {
        if let Some(link) = inner.link(peer) {
            let quiet = inner.endpoint.is_quiet(peer);
            self.flush.push(Flush { peer, link: link.clone(), quiet });
        }
    }

    /// Whether nothing is to be done.
    pub(crate) fn is_empty(&self) -> bool {
        let Self { wakers, requests, flush, close, rearm } = self;
        let nothing = wakers.is_empty() && requests.is_empty() && flush.is_empty();
        nothing && close.is_empty() && !rearm
    }

    /// Does it all. `here` is the link in whose task this runs: it flushes itself when it is done.
    pub(crate) fn run(self, hub: &Arc<Hub>, here: Option<PeerId>) -> bool {
        if self.rearm {
            hub.timer.wake();
        }
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
        flush_here | request::serve_all(hub, self.requests, here)
    }
}
