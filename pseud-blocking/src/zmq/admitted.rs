//! Who was let in, by what libzmq says of each of their messages.
//!
//! The answer to a question of ZAP is a User-Id of our making, one for each handshake: libzmq puts it on
//! every message of that connection. So a message says which answer let its sender in, and a user who is
//! disconnected can be told apart from the same one who logs in again.

use pseud_async::adapter::Asking;
use pseud_proto::User;
#[cfg(feature = "_curve")]
use pseud_proto::zmtp::PublicKey;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many are remembered. Whoever is over it has its oldest forgotten: libzmq does not tell when a
/// connection ends.
const ADMITTED_MAX: usize = 65_536;

/// How many of one user: who logs in again and again pushes out his own.
const OF_ONE_USER_MAX: usize = 256;

/// How many of nobody, who may log in later: they are many peers, which have the same user only in name.
const OF_NOBODY_MAX: usize = ADMITTED_MAX / 4;

/// How often a line says what came from who is not known any more.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// Messages of connections whose ticket is forgotten: they were shown out, or others pushed them out. They are
/// not answered, since nobody knows whose they are.
#[derive(Debug, Default)]
pub(super) struct UnknownTickets {
    count: u64,
    told: Option<Instant>,
}

impl UnknownTickets {
    pub(super) fn tell(&mut self, address: &str) {
        self.count += 1;
        let now = Instant::now();
        if self.told.is_none_or(|told| now.duration_since(told) >= TOLD_EVERY) {
            let count = std::mem::take(&mut self.count);
            self.told = Some(now);
            tracing::warn!(
                address,
                count,
                "messages are dropped: their connections were shown out, or connected too long ago to be \
                 remembered; their peers have to connect again"
            );
        }
    }
}

/// What libzmq's User-Id says: which answer it was.
pub(super) type AdmissionTicket = String;

#[derive(Debug)]
struct AdmittedEntry {
    who: AdmittedPeer,
    asking: Arc<Asking>,
    age: u64,
}

/// Whom an answer let in.
#[derive(Debug, Clone)]
pub(super) struct AdmittedPeer {
    pub(super) user: User,
    /// What it has proven, under CURVE.
    #[cfg(feature = "_curve")]
    pub(super) key: Option<PublicKey>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct AdmittedUsers {
    by_ticket: BTreeMap<AdmissionTicket, AdmittedEntry>,
    by_age: BTreeMap<u64, AdmissionTicket>,
    of_user: BTreeMap<bytes::Bytes, VecDeque<AdmissionTicket>>,
    count: u64,
}

impl AdmittedUsers {
    pub(super) fn insert(
        &mut self,
        ticket: AdmissionTicket,
        who: AdmittedPeer,
        asking: Arc<Asking>,
    ) {
        let of_user = self.of_user.entry(who.user.id().clone()).or_default();
        let max = if who.user.is_anonymous() { OF_NOBODY_MAX } else { OF_ONE_USER_MAX };
        let own = if of_user.len() >= max { of_user.front().cloned() } else { None };
        of_user.push_back(ticket.clone());
        let oldest = || self.by_age.first_key_value().map(|(_, ticket)| ticket.clone());
        let over = self.by_ticket.len() >= ADMITTED_MAX;
        let pushed_out = own.or_else(|| if over { oldest() } else { None });
        self.count += 1;
        self.by_age.insert(self.count, ticket.clone());
        self.by_ticket.insert(ticket, AdmittedEntry { who, asking, age: self.count });
        if let Some(ticket) = pushed_out {
            self.forget(&ticket);
        }
    }

    pub(super) fn get(&self, ticket: &str) -> Option<(&AdmittedPeer, &Asking)> {
        self.by_ticket.get(ticket).map(|entry| (&entry.who, &*entry.asking))
    }

    /// What comes with that ticket from now on is from nobody.
    pub(super) fn forget(&mut self, ticket: &str) {
        let Some(AdmittedEntry { who, asking, age }) = self.by_ticket.remove(ticket) else {
            return;
        };
        self.by_age.remove(&age);
        if let Some(tickets) = self.of_user.get_mut(who.user.id()) {
            // Of many it is the oldest one that goes.
            match tickets.front().is_some_and(|oldest| oldest == ticket) {
                true => drop(tickets.pop_front()),
                false => tickets.retain(|known| known != ticket),
            }
            if tickets.is_empty() {
                self.of_user.remove(who.user.id());
            }
        }
        asking.forget();
    }
}
