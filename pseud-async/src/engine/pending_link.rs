//! Links whose handshake is not over, and users who are shown out meanwhile.

use super::any_link::AnyLink;
use super::handshakes::{Handshake, blame};
use bytes::Bytes;
use pseud_proto::{HandshakeEnd, LateGuard, LinkId, Reason, User};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

/// Those links, each by a key of its own. A flood of them leaves no room behind.
#[derive(Debug, Default)]
pub(crate) struct PendingLinks {
    links: BTreeMap<u64, PendingLink>,
    next: u64,
}

impl PendingLinks {
    /// No link's key.
    pub(crate) const NONE: u64 = u64::MAX;

    /// One more; its key.
    pub(crate) fn insert(&mut self, link: PendingLink) -> u64 {
        let key = self.next;
        self.next += 1;
        self.links.insert(key, link);
        key
    }

    pub(crate) fn get(&self, key: u64) -> Option<&PendingLink> {
        self.links.get(&key)
    }

    pub(crate) fn get_mut(&mut self, key: u64) -> Option<&mut PendingLink> {
        self.links.get_mut(&key)
    }

    pub(crate) fn remove(&mut self, key: u64) -> Option<PendingLink> {
        self.links.remove(&key)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut PendingLink> {
        self.links.values_mut()
    }

    pub(crate) fn into_links(self) -> impl Iterator<Item = PendingLink> {
        self.links.into_values()
    }
}

/// A link whose handshake is not over.
#[derive(Debug)]
pub(crate) struct PendingLink {
    pub(crate) link: Arc<dyn AnyLink>,
    /// Users that were disconnected since it came: it may have been admitted as one of them before.
    unwelcome: Vec<Bytes>,
    /// What users are said to be since it came.
    updated: Vec<User>,
    /// As whom it was admitted, where that is known: nobody else matters.
    pub(crate) user: Option<Bytes>,
    /// What we call it, where we opened it.
    pub(crate) dialed: Option<LinkId>,
    /// Until when its peer's requests will be answered, where that is not as for all.
    pub(crate) late_guard: Option<LateGuard>,
    /// Its place among those who connect to us.
    handshake: Option<Handshake>,
    /// Whether somebody was asked about it.
    pub(crate) asked: bool,
}

impl PendingLink {
    pub(crate) fn new(
        link: Arc<dyn AnyLink>,
        dialed: Option<LinkId>,
        late_guard: Option<LateGuard>,
        handshake: Option<Handshake>,
    ) -> Self {
        Self {
            link,
            unwelcome: Vec::new(),
            updated: Vec::new(),
            user: None,
            dialed,
            late_guard,
            handshake,
            asked: false,
        }
    }

    /// It has come in; `is_known`: as somebody, or where nobody has to be.
    pub(crate) fn completed(&mut self, is_known: bool, now: Instant) {
        if let Some(handshake) = self.handshake.take() {
            // Whoever may come with any key has shown nothing by that.
            let end = if is_known { HandshakeEnd::Completed } else { HandshakeEnd::Abandoned };
            handshake.end(end, now);
        }
    }

    /// It has not, for that reason.
    pub(crate) fn failed(mut self, reason: Reason, now: Instant) {
        if let Some(handshake) = self.handshake.take() {
            handshake.end(blame(reason, self.asked), now);
        }
    }

    pub(crate) fn is_barred(&self, user: &User) -> bool {
        self.unwelcome.contains(user.id())
    }

    /// Who it is, as it was said to be last.
    pub(crate) fn as_updated(&self, user: User) -> User {
        let updated = self.updated.iter().find(|known| known.id() == user.id());
        updated.cloned().unwrap_or(user)
    }

    pub(crate) fn update(&mut self, user: &User) {
        if self.user.as_ref().is_some_and(|known| known != user.id()) || user.is_anonymous() {
            return;
        }
        match self.updated.iter_mut().find(|known| known.id() == user.id()) {
            Some(known) => *known = user.clone(),
            None => self.updated.push(user.clone()),
        }
    }

    pub(crate) fn bar(&mut self, user: &[u8]) {
        let is_other = self.user.as_ref().is_some_and(|known| known != user);
        if !is_other && !self.unwelcome.iter().any(|known| known == user) {
            self.unwelcome.push(Bytes::copy_from_slice(user));
        }
    }
}
