//! What the engine's lock guards.

use super::any_link::AnyLink;
use super::dials::Dials;
use super::event::KeptEvent;
use super::pending_link::PendingLink;
use super::running::Running;
use super::wait_list::WaitList;
use super::waiters::Waiters;
use super::watchers::Watchers;
use atomic_waker::AtomicWaker;
use pseud_proto::peer::PeerInfo;
use pseud_proto::pseud::Endpoint;
use pseud_proto::{Limits, PeerId, Reason, RequestId, ShowingStep, Ticket};
use slab::Slab;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

/// Requests that are handed to handlers together.
const PORTION_MAX: usize = 8;
/// Links that may have such portions at the same time: each has its thread.
const LINKS_AT_ONCE: usize = 64;

/// The endpoint, and who waits for what of it.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) endpoint: Endpoint,
    pub(crate) waiters: Waiters,
    pub(crate) links: Vec<Option<(PeerId, Arc<dyn AnyLink>)>>,
    pub(crate) joining: WaitList,
    pub(crate) ending: WaitList,
    /// Who waits for the node to be idle.
    pub(crate) idling: WaitList,
    /// Who waits to hear that a request's caller is gone.
    pub(crate) cancelling: BTreeMap<RequestId, WaitList>,
    pub(crate) watchers: Watchers,
    /// Who is behind every session, to say at its end who it was.
    pub(crate) present: BTreeMap<PeerId, Arc<PeerInfo>>,
    /// Links whose handshake is not over.
    pub(crate) strangers: Slab<PendingLink>,
    /// Endpoints that we connect to.
    pub(crate) dials: Dials,
    /// The moment for which the timer is armed: it is woken only for an earlier one.
    pub(crate) armed: Option<Instant>,
    pub(crate) shut_down: bool,
}

impl Inner {
    pub(crate) fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            waiters: Waiters::default(),
            links: Vec::new(),
            joining: WaitList::default(),
            ending: WaitList::default(),
            idling: WaitList::default(),
            cancelling: BTreeMap::new(),
            watchers: Watchers::default(),
            present: BTreeMap::new(),
            strangers: Slab::new(),
            dials: Dials::default(),
            armed: None,
            shut_down: false,
        }
    }

    /// Whether nothing is open and no handler runs, of callers that have left neither.
    pub(crate) fn is_idle(&self, running: &Running) -> bool {
        self.endpoint.is_idle() && running.is_empty()
    }

    pub(crate) fn link(&self, peer: PeerId) -> Option<&Arc<dyn AnyLink>> {
        let (owner, link) = self.links.get(peer.slot())?.as_ref()?;
        (*owner == peer).then_some(link)
    }

    pub(crate) fn attach(&mut self, peer: PeerId, link: Arc<dyn AnyLink>) {
        if self.links.len() <= peer.slot() {
            self.links.resize_with(peer.slot() + 1, || None);
        }
        self.links[peer.slot()] = Some((peer, link));
    }

    pub(crate) fn detach(&mut self, peer: PeerId) -> Option<Arc<dyn AnyLink>> {
        let entry = self.links.get_mut(peer.slot())?;
        match entry {
            Some((owner, _)) if *owner == peer => entry.take().map(|(_, link)| link),
            _ => None,
        }
    }

    /// How many requests of that peer may be handed to handlers beside those that are open: as many as
    /// there are certainly places for, a few at most. Who reads more than that reads them later.
    pub(crate) fn more_requests(&self, peer: PeerId, running: &Running, limits: &Limits) -> usize {
        let open = self.endpoint.requests_open(peer);
        let own = limits.requests_open_per_peer_max.saturating_sub(open);
        let max = limits.requests_open_max;
        let all = (max - max / 4).saturating_sub(running.count()) / LINKS_AT_ONCE;
        own.min(all).min(PORTION_MAX - 1)
    }

    /// A request is about to be answered: who waits to hear that nobody waits for that any more.
    pub(crate) fn not_cancelled(&mut self, ticket: &Ticket) -> Vec<Arc<AtomicWaker>> {
        let waiting = self.cancelling.remove(&ticket.request());
        waiting.map(|mut wait_list| wait_list.leave()).unwrap_or_default()
    }

    /// Who is there.
    pub(crate) fn sessions(&self) -> Vec<(PeerId, Arc<PeerInfo>)> {
        self.present.iter().map(|(session, info)| (*session, info.clone())).collect()
    }

    /// A session began: remembered until it ends, to say then who it was.
    pub(crate) fn joined(
        &mut self,
        session: PeerId,
        info: Arc<PeerInfo>,
    ) -> (KeptEvent, Vec<Waker>) {
        self.present.insert(session, info.clone());
        let event = KeptEvent::ready(session, info);
        let wakers = self.watchers.notify(&event);
        (event, wakers)
    }

    /// A session has logged in: at its end it is that user's.
    pub(crate) fn logged_in(
        &mut self,
        session: PeerId,
        info: Arc<PeerInfo>,
    ) -> (KeptEvent, Vec<Waker>) {
        self.present.insert(session, info.clone());
        let event = KeptEvent::logged_in(session, info);
        let wakers = self.watchers.notify(&event);
        (event, wakers)
    }

    /// Our own login there has come so far.
    pub(crate) fn showing(
        &mut self,
        session: PeerId,
        step: ShowingStep,
    ) -> Option<(KeptEvent, Vec<Waker>)> {
        let peer = self.present.get(&session)?.clone();
        let event = match step {
            ShowingStep::Challenged => KeptEvent::Challenged { peer, session },
            ShowingStep::Authenticated => KeptEvent::Authenticated { peer, session },
        };
        let wakers = self.watchers.notify(&event);
        Some((event, wakers))
    }

    pub(crate) fn left(
        &mut self,
        session: PeerId,
        reason: Reason,
    ) -> Option<(KeptEvent, Vec<Waker>)> {
        let info = self.present.remove(&session)?;
        let event = KeptEvent::lost(session, &info, reason);
        let wakers = self.watchers.notify(&event);
        Some((event, wakers))
    }
}
