//! Endpoints that we connect to: what came of each, for watchers and for calls that wait for the server.

use crate::events::Happened;
use crate::hub::{Hub, Inner};
use pseud_proto::Reason;
use slab::Slab;
use std::sync::Arc;

/// What came of connecting to one endpoint.
#[derive(Debug, Default)]
struct Attempts {
    /// One is going on, or its link stands.
    is_trying: bool,
    /// Why the last one that is over led to no session.
    failed: Option<Reason>,
}

/// All endpoints that we connect to.
#[derive(Debug, Default)]
pub(crate) struct Dials {
    attempts: Slab<Attempts>,
    /// Whether others may connect to us as well.
    pub(crate) listens: bool,
}

impl Dials {
    /// Why there is no link, most telling first.
    fn why(&self) -> Option<Reason> {
        let failed = || self.attempts.iter().filter_map(|(_, attempts)| attempts.failed);
        failed().find(|reason| *reason == Reason::Denied).or_else(|| failed().next())
    }

    /// Whether we are refused everywhere, and nobody might come by himself: trying again soon would
    /// change nothing.
    fn is_final(&self) -> bool {
        let refused =
            |attempts: &Attempts| !attempts.is_trying && attempts.failed == Some(Reason::Denied);
        !self.listens
            && !self.attempts.is_empty()
            && self.attempts.iter().all(|(_, attempts)| refused(attempts))
    }
}

/// An endpoint that an adapter connects to, for as long as it does.
#[derive(Debug)]
pub struct Dial {
    hub: Arc<Hub>,
    endpoint: String,
    key: usize,
}

impl Dial {
    /// One that was not tried yet.
    pub fn new(hub: &Arc<Hub>, endpoint: &str) -> Self {
        let attempts = Attempts { is_trying: true, failed: None };
        let key = hub.lock().dials.attempts.insert(attempts);
        let dial = Self { hub: hub.clone(), endpoint: endpoint.to_owned(), key };
        dial.note(|_| {});
        dial
    }

    /// An attempt begins.
    pub fn connecting(&self) {
        self.hub.tell(&Happened::Connecting { endpoint: self.endpoint.clone() });
        self.note(|attempts| attempts.is_trying = true);
    }

    /// There was no connection to be had.
    pub fn failed(&self, error: &std::io::Error) {
        let (endpoint, error) = (self.endpoint.clone(), error.to_string());
        self.hub.tell(&Happened::Failed { endpoint, error });
        self.note(|attempts| *attempts = Attempts::default());
    }

    /// Its link ended for that reason, before or after its handshake was over.
    pub fn ended(&self, reason: Reason, was_ready: bool) {
        let failed = match reason {
            Reason::Denied | Reason::PeerFault(_) if !was_ready => Some(reason),
            _ => None,
        };
        self.note(|attempts| *attempts = Attempts { is_trying: false, failed });
    }

    fn note(&self, change: impl FnOnce(&mut Attempts)) {
        let ((), effects) = self.hub.with(|inner, now| {
            if let Some(known) = inner.dials.attempts.get_mut(self.key) {
                change(known);
            }
            inner.tell_unreachable(now);
        });
        effects.run(&self.hub, None);
    }
}

impl Drop for Dial {
    fn drop(&mut self) {
        let ((), effects) = self.hub.with(|inner, now| {
            inner.dials.attempts.try_remove(self.key);
            inner.tell_unreachable(now);
        });
        effects.run(&self.hub, None);
    }
}

impl Inner {
    fn tell_unreachable(&mut self, now: std::time::Instant) {
        let (why, is_final) = (self.dials.why(), self.dials.is_final());
        self.endpoint.set_unreachable(why, is_final, now);
    }
}

impl Hub {
    /// For adapters: from here on others may connect to us.
    pub fn listens(self: &Arc<Self>) {
        let ((), effects) = self.with(|inner, now| {
            inner.dials.listens = true;
            inner.tell_unreachable(now);
        });
        effects.run(self, None);
    }
}
