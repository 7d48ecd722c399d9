//! Endpoints that we connect to: what came of each, for watchers and for calls that wait for the server,
//! and what each tells its peer of the others, so that a second link to one server stands by there
//! instead of taking the first one's name.

use crate::events::Happened;
use crate::hub::{Hub, Inner};
use bytes::Bytes;
use pseud_proto::{LinkId, Reason, Siblings};
use slab::Slab;
use std::sync::Arc;

/// One endpoint that we connect to.
#[derive(Debug)]
struct Dialed {
    /// An attempt is going on, or its link stands.
    is_trying: bool,
    /// Why the last one that is over led to no session.
    failed: Option<Reason>,
    /// The present attempt, as its peer knows it. `None` where there was no entropy: it then declares
    /// nothing, and is not named.
    link: Option<LinkId>,
    /// The routing id of the server to which it leads, or is to lead.
    leads_to: Option<Bytes>,
}

/// All endpoints that we connect to.
#[derive(Debug, Default)]
pub(crate) struct Dials {
    all: Slab<Dialed>,
    /// Whether others may connect to us as well.
    pub(crate) listens: bool,
}

impl Dials {
    /// Why there is no link, most telling first.
    fn why(&self) -> Option<Reason> {
        let failed = || self.all.iter().filter_map(|(_, dialed)| dialed.failed);
        failed().find(|reason| *reason == Reason::Denied).or_else(|| failed().next())
    }

    /// Whether we are refused everywhere, and nobody might come by himself: trying again soon would
    /// change nothing.
    fn is_final(&self) -> bool {
        let refused = |dialed: &Dialed| !dialed.is_trying && dialed.failed == Some(Reason::Denied);
        !self.listens && !self.all.is_empty() && self.all.iter().all(|(_, dialed)| refused(dialed))
    }

    /// What the attempt at that endpoint says of itself. Links that are known to lead elsewhere are not
    /// named: their peers could stand in this one's way.
    fn siblings(&self, key: usize) -> Siblings {
        let Some((this, link)) = self.all.get(key).and_then(|this| Some((this, this.link?))) else {
            return Siblings::default();
        };
        let may_meet = |other: &Dialed| match (&this.leads_to, &other.leads_to) {
            (Some(here), Some(there)) => here == there,
            (None, _) | (_, None) => true,
        };
        let others = self.all.iter().filter(|(other, dialed)| *other != key && may_meet(dialed));
        Siblings::new(link, others.filter_map(|(_, other)| other.link))
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
    /// One that was not tried yet. Before its first attempt: the links of others that are about to be
    /// opened tell of it.
    pub fn new(hub: &Arc<Hub>, endpoint: &str) -> Self {
        let (link, leads_to) = (draw(), hub.config.server.clone());
        let dialed = Dialed { is_trying: true, failed: None, link, leads_to };
        let key = hub.lock().dials.all.insert(dialed);
        let dial = Self { hub: hub.clone(), endpoint: endpoint.to_owned(), key };
        dial.note(|_| {});
        dial
    }

    /// An attempt begins.
    pub(crate) fn connecting(&self) {
        self.hub.tell(&Happened::Connecting { endpoint: self.endpoint.clone() });
        self.note(|dialed| dialed.is_trying = true);
    }

    /// There was no connection to be had at one of its addresses.
    pub(crate) fn tell_failed(&self, error: &std::io::Error) {
        let (endpoint, error) = (self.endpoint.clone(), error.to_string());
        self.hub.tell(&Happened::Failed { endpoint, error });
    }

    /// Nor at any other: this attempt came to nothing.
    pub(crate) fn failed(&self) {
        self.over(None);
    }

    /// Its link ended for that reason, before or after its handshake was over.
    pub(crate) fn ended(&self, reason: Reason, was_ready: bool) {
        self.over(match reason {
            Reason::Denied | Reason::PeerFault(_) if !was_ready => Some(reason),
            _ => None,
        });
    }

    /// The next attempt is another link. Until it is told, peers that hear of the old one take it to be
    /// alive.
    fn over(&self, failed: Option<Reason>) {
        let link = draw();
        self.note(|dialed| {
            (dialed.is_trying, dialed.failed, dialed.link) = (false, failed, link);
        });
    }

    fn note(&self, change: impl FnOnce(&mut Dialed)) {
        let ((), effects) = self.hub.with(|inner, now| {
            if let Some(known) = inner.dials.all.get_mut(self.key) {
                change(known);
            }
            inner.tell_unreachable(now);
        });
        effects.run(&self.hub, None);
    }

    pub(crate) fn siblings(&self) -> Siblings {
        self.hub.lock().dials.siblings(self.key)
    }
}

impl Drop for Dial {
    fn drop(&mut self) {
        let ((), effects) = self.hub.with(|inner, now| {
            inner.dials.all.try_remove(self.key);
            inner.tell_unreachable(now);
        });
        effects.run(&self.hub, None);
    }
}

impl Inner {
    /// That link's handshake is over: this is who is there.
    pub(crate) fn arrived(&mut self, link: LinkId, identity: &Bytes) {
        let all = self.dials.all.iter_mut().map(|(_, dialed)| dialed);
        for dialed in all.filter(|dialed| dialed.link == Some(link)) {
            dialed.leads_to = Some(identity.clone());
        }
    }

    fn tell_unreachable(&mut self, now: std::time::Instant) {
        let (why, is_final) = (self.dials.why(), self.dials.is_final());
        self.endpoint.set_unreachable(why, is_final, now);
    }
}

impl Hub {
    /// From here on others may connect to us.
    pub(crate) fn listens(self: &Arc<Self>) {
        let ((), effects) = self.with(|inner, now| {
            inner.dials.listens = true;
            inner.tell_unreachable(now);
        });
        effects.run(self, None);
    }
}

fn draw() -> Option<LinkId> {
    let mut random = [0; LinkId::BYTES];
    getrandom::fill(&mut random).ok()?;
    Some(LinkId::new(random))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_that_may_lead_to_the_same_server_are_named() {
        let to = |n: u8, server: Option<&'static str>| Dialed {
            is_trying: true,
            failed: None,
            link: Some(LinkId::new([n; 8])),
            leads_to: server.map(Bytes::from),
        };
        let mut dials = Dials::default();
        let all =
            [("a", 1), ("a", 2), ("b", 3)].map(|(server, n)| dials.all.insert(to(n, Some(server))));
        let link = |n: u8| LinkId::new([n; 8]);
        assert_eq!(dials.siblings(all[0]), Siblings::new(link(1), [link(2)]));
        assert_eq!(dials.siblings(all[2]), Siblings::new(link(3), []));
        let unknown = dials.all.insert(to(4, None));
        assert_eq!(dials.siblings(all[2]), Siblings::new(link(3), [link(4)]));
        assert_eq!(dials.siblings(unknown), Siblings::new(link(4), [1, 2, 3].map(link)));
        dials.all.remove(all[1]);
        assert_eq!(dials.siblings(all[0]), Siblings::new(link(1), [link(4)]));
    }
}
