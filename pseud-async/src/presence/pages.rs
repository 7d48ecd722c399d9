//! All who are there, page by page.

use super::status::PeerStatus;
use crate::engine::hub::Hub;
use crate::engine::listing::{Listed, PAGE_MAX};
use pseud_proto::PeerId;
use std::fmt;
use std::sync::Arc;

/// The sessions that are there, each as it is when its page is read: an iterator. See
/// [`Node::peers`](crate::Node::peers).
///
/// A page is 256 sessions, and the node's lock is held for one page at a time. Who is there from the first
/// page to the last is in it, once; who comes or goes meanwhile may be.
///
/// ```no_run
/// # fn run(server: pseud::Server) {
/// for peer in server.peers() {
///     println!("{}: {} requests open", peer.info.address, peer.requests_open);
/// }
/// # }
/// ```
pub struct Peers {
    hub: Arc<Hub>,
    page: std::vec::IntoIter<Listed>,
    last: Option<PeerId>,
    is_over: bool,
}

impl fmt::Debug for Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peers").field("last", &self.last).finish_non_exhaustive()
    }
}

impl Peers {
    /// Those behind that session in their order; all of them where that is `None`.
    pub(crate) fn behind(hub: &Arc<Hub>, after: Option<PeerId>) -> Self {
        Self { hub: hub.clone(), page: Vec::new().into_iter(), last: after, is_over: false }
    }
}

impl Iterator for Peers {
    type Item = PeerStatus;

    fn next(&mut self) -> Option<PeerStatus> {
        if self.page.len() == 0 && !self.is_over {
            let page = self.hub.page(self.last, PAGE_MAX);
            self.is_over = page.len() < PAGE_MAX;
            self.page = page.into_iter();
        }
        let listed = self.page.next()?;
        self.last = Some(listed.seat.peer);
        Some(PeerStatus::new(listed))
    }
}
