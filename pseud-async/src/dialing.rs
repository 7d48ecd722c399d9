//! The links that a node opens, by their endpoints: each tells its peer which others there are, so
//! that a second link to one server stands by there instead of taking the first one's name.

use crate::hub::{Hub, Inner};
use bytes::Bytes;
use pseud_proto::{LinkId, Siblings};
use slab::Slab;
use std::sync::Arc;

/// One endpoint that a node connects to, as its other links know it. Gone when dropped.
#[derive(Debug)]
pub struct Dialing {
    hub: Arc<Hub>,
    key: usize,
}

/// The present attempt at one endpoint.
#[derive(Debug)]
pub(crate) struct Dialed {
    /// `None` where there was no entropy: it then declares nothing, and is not named.
    link: Option<LinkId>,
    /// The routing id of the server to which it leads, or is to lead.
    leads_to: Option<Bytes>,
}

impl Hub {
    /// An endpoint is to be connected to. Before its first attempt: the links of others that are
    /// about to be opened tell of it.
    pub fn dialing(self: &Arc<Self>) -> Dialing {
        let dialed = Dialed { link: draw(), leads_to: self.config.server.clone() };
        let key = self.lock().dialed.insert(dialed);
        Dialing { hub: self.clone(), key }
    }
}

impl Dialing {
    /// A link ended, or came to nothing: the next one is another. Until it is told, peers that hear of
    /// the old one take it to be alive.
    pub fn renew(&self) {
        let link = draw();
        if let Some(dialed) = self.hub.lock().dialed.get_mut(self.key) {
            dialed.link = link;
        }
    }

    /// What the present attempt says of itself. Links that are known to lead elsewhere are not named:
    /// their peers could stand in this one's way.
    pub(crate) fn siblings(&self) -> Siblings {
        siblings(&self.hub.lock().dialed, self.key)
    }
}

impl Inner {
    /// That link's handshake is over: this is who is there.
    pub(crate) fn arrived(&mut self, link: LinkId, identity: &Bytes) {
        let dialed = self.dialed.iter_mut().map(|(_, dialed)| dialed);
        for dialed in dialed.filter(|dialed| dialed.link == Some(link)) {
            dialed.leads_to = Some(identity.clone());
        }
    }
}

impl Drop for Dialing {
    fn drop(&mut self) {
        self.hub.lock().dialed.try_remove(self.key);
    }
}

fn siblings(dialed: &Slab<Dialed>, key: usize) -> Siblings {
    let Some((this, link)) = dialed.get(key).and_then(|this| Some((this, this.link?))) else {
        return Siblings::default();
    };
    let may_meet = |other: &Dialed| match (&this.leads_to, &other.leads_to) {
        (Some(here), Some(there)) => here == there,
        (None, _) | (_, None) => true,
    };
    let others = dialed.iter().filter(|(other, dialed)| *other != key && may_meet(dialed));
    Siblings::new(link, others.filter_map(|(_, other)| other.link))
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
            link: Some(LinkId::new([n; 8])),
            leads_to: server.map(Bytes::from),
        };
        let mut slab = Slab::new();
        let all =
            [("a", 1), ("a", 2), ("b", 3)].map(|(server, n)| slab.insert(to(n, Some(server))));
        let link = |n: u8| LinkId::new([n; 8]);
        assert_eq!(siblings(&slab, all[0]), Siblings::new(link(1), [link(2)]));
        assert_eq!(siblings(&slab, all[2]), Siblings::new(link(3), []));
        let unknown = slab.insert(to(4, None));
        assert_eq!(siblings(&slab, all[2]), Siblings::new(link(3), [link(4)]));
        assert_eq!(siblings(&slab, unknown), Siblings::new(link(4), [1, 2, 3].map(link)));
        slab.remove(all[1]);
        assert_eq!(siblings(&slab, all[0]), Siblings::new(link(1), [link(4)]));
    }
}
