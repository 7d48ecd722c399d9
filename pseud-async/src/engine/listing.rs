//! Who is there, page by page: the engine's lock is held for one page at a time.

use super::activity::Activity;
use super::hub::Hub;
use super::state::Inner;
use pseud_proto::PeerId;
use pseud_proto::peer::PeerInfo;
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;
use std::time::Instant;

/// The most sessions that are looked at under one lock.
pub(crate) const PAGE_MAX: usize = 256;

/// One session as it is now.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) session: PeerId,
    pub(crate) info: Arc<PeerInfo>,
    pub(crate) since: Instant,
    pub(crate) last_heard: Instant,
    pub(crate) last_message: Instant,
    pub(crate) calls_pending: usize,
    pub(crate) requests_open: usize,
    pub(crate) bytes_received: u64,
    pub(crate) bytes_sent: u64,
}

impl Hub {
    /// At most so many of the sessions behind that one in their order (at most [`PAGE_MAX`]). A session
    /// that is there from the first page to the last is in one of them, once.
    pub(crate) fn page(&self, after: Option<PeerId>, max: usize) -> Vec<Listed> {
        let now = self.now();
        let inner = self.lock();
        let listed =
            |(session, info): (&PeerId, &Arc<PeerInfo>)| inner.listed(*session, info.clone(), now);
        inner.behind(after).take(max.min(PAGE_MAX)).map(listed).collect()
    }

    /// The same, who they are alone.
    pub(crate) fn page_of_infos(&self, after: Option<PeerId>) -> Vec<(PeerId, Arc<PeerInfo>)> {
        let inner = self.lock();
        let page = inner.behind(after).take(PAGE_MAX);
        page.map(|(session, info)| (*session, info.clone())).collect()
    }
}

impl Inner {
    fn behind(&self, after: Option<PeerId>) -> impl Iterator<Item = (&PeerId, &Arc<PeerInfo>)> {
        let start = after.map_or(Unbounded, Excluded);
        self.present.range((start, Unbounded))
    }

    fn listed(&self, session: PeerId, info: Arc<PeerInfo>, now: Instant) -> Listed {
        let (calls_pending, requests_open) = self.endpoint.open(session).unwrap_or_default();
        let activity = self.link(session).and_then(|link| link.activity());
        let moments = |activity: &Activity| (activity.joined(), activity.heard(), activity.spoke());
        let (since, last_heard, last_message) = activity.map_or((now, now, now), moments);
        let (bytes_received, bytes_sent) =
            activity.map(|activity| activity.bytes()).unwrap_or_default();
        Listed {
            session,
            info,
            since,
            last_heard,
            last_message,
            calls_pending,
            requests_open,
            bytes_received,
            bytes_sent,
        }
    }
}
