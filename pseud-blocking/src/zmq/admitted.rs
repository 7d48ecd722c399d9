//! Who was let in, by what libzmq says of each of their messages.
//!
//! The answer to a question of ZAP is a User-Id of our making, one for each handshake: libzmq puts it on
//! every message of that connection. So a message says which answer let its sender in, and a user who is
//! disconnected can be told apart from the same one who logs in again.

use pseud_async::adapter::Asking;
use pseud_proto::User;
#[cfg(feature = "_curve")]
use pseud_proto::zmtp::PublicKey;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many are remembered. Whoever is over it has its oldest forgotten: libzmq does not tell when a
/// connection ends.
const ADMITTED_MAX: usize = 65_536;

/// How many of one user: who logs in again and again pushes out his own.
const OF_ONE_USER_MAX: usize = 256;

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
    of_user: BTreeMap<bytes::Bytes, Vec<AdmissionTicket>>,
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
        let own = (of_user.len() >= OF_ONE_USER_MAX).then(|| of_user[0].clone());
        of_user.push(ticket.clone());
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
            tickets.retain(|known| known != ticket);
            if tickets.is_empty() {
                self.of_user.remove(who.user.id());
            }
        }
        asking.forget();
    }
}
