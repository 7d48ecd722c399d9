//! Who is there, page by page: the node's lock is held for one page at a time, and
//! no session's.

use super::activity::Activity;
use super::hub::Hub;
use super::seat::Seat;
use super::state::Present;
use pseud_proto::PeerId;
use pseud_proto::peer::PeerInfo;
use std::sync::Arc;
use std::time::Instant;

/// The most sessions that are looked at under one lock.
pub(crate) const PAGE_MAX: usize = 256;

/// One session as it is now.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) seat: Arc<Seat>,
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
        let (now, max) = (self.now(), max.min(PAGE_MAX));
        // Nothing is allocated under the lock.
        let mut listed = Vec::with_capacity(max);
        let inner = self.lock();
        let page = inner.behind(after).take(max);
        listed.extend(page.map(|(present, info)| present.listed(info.clone(), now)));
        drop(inner);
        listed
    }

    /// The same, who they are alone.
    pub(crate) fn page_of_infos(&self, after: Option<PeerId>) -> Vec<(Arc<Seat>, Arc<PeerInfo>)> {
        let mut known = Vec::with_capacity(PAGE_MAX);
        let inner = self.lock();
        let page = inner.behind(after).take(PAGE_MAX);
        known.extend(page.map(|(present, info)| (present.seat.clone(), info.clone())));
        drop(inner);
        known
    }
}

impl Present<Hub> {
    /// What it tells by itself: no session's lock is taken.
    fn listed(&self, info: Arc<PeerInfo>, now: Instant) -> Listed {
        let (calls_pending, requests_open) = self.seat.open();
        let activity = self.link.as_ref().and_then(|link| link.activity());
        let born = self.seat.hub.born();
        let moments = |activity: &Activity| {
            (activity.joined(born), activity.heard(born), activity.spoke(born))
        };
        let (since, last_heard, last_message) = activity.map_or((now, now, now), moments);
        let (bytes_received, bytes_sent) =
            activity.map(|activity| activity.bytes()).unwrap_or_default();
        Listed {
            seat: self.seat.clone(),
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
