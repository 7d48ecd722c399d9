//! What came of each endpoint that we connect to, and what each tells its peer of the others.

use bytes::Bytes;
use pseud_proto::{Insecure, LinkId, PeerError, Reason, Siblings};
use slab::Slab;

/// One endpoint that we connect to.
#[derive(Debug)]
pub(super) struct DialState {
    /// An attempt is going on, or its link stands.
    pub(super) is_trying: bool,
    /// Why the last one that is over led to no session.
    pub(super) failed: Option<Reason>,
    /// The present attempt, as its peer knows it. `None` where there was no entropy: it then declares
    /// nothing, and is not named.
    pub(super) link: Option<LinkId>,
    /// The identity of the server to which it leads, or is to lead.
    pub(super) leads_to: Option<Bytes>,
}

/// All endpoints that we connect to.
#[derive(Debug, Default)]
pub(crate) struct Dials {
    pub(super) all: Slab<DialState>,
    /// Whether others may connect to us as well.
    pub(crate) listens: bool,
}

impl Dials {
    /// Why there is no link, most telling first.
    pub(super) fn why(&self) -> Option<Reason> {
        let failed = || self.all.iter().filter_map(|(_, dialed)| dialed.failed);
        failed().find(|reason| is_refusal(*reason)).or_else(|| failed().next())
    }

    /// Whether we are refused everywhere, and nobody might come by himself: trying again soon would
    /// change nothing.
    pub(super) fn is_final(&self) -> bool {
        let refused =
            |dialed: &DialState| !dialed.is_trying && dialed.failed.is_some_and(is_refusal);
        !self.listens && !self.all.is_empty() && self.all.iter().all(|(_, dialed)| refused(dialed))
    }

    /// What the attempt at that endpoint says of itself. Links that are known to lead elsewhere are not
    /// named: their peers could stand in this one's way.
    pub(super) fn siblings(&self, key: usize) -> Siblings {
        let Some((this, link)) = self.all.get(key).and_then(|this| Some((this, this.link?))) else {
            return Siblings::default();
        };
        let may_meet = |other: &DialState| match (&this.leads_to, &other.leads_to) {
            (Some(here), Some(there)) => here == there,
            (None, _) | (_, None) => true,
        };
        let others = self.all.iter().filter(|(other, dialed)| *other != key && may_meet(dialed));
        Siblings::new(link, others.filter_map(|(_, other)| other.link))
    }

    /// That link's handshake is over: this is who is there.
    pub(crate) fn arrived(&mut self, link: LinkId, identity: &Bytes) {
        let all = self.all.iter_mut().map(|(_, dialed)| dialed);
        for dialed in all.filter(|dialed| dialed.link == Some(link)) {
            dialed.leads_to = Some(identity.clone());
        }
    }
}

/// Whether what we show was refused: shown again, it is refused again. kaa.rpc's secret is such.
fn is_refusal(reason: Reason) -> bool {
    use Insecure::{SecretRefused, WrongSecret};
    use PeerError::Insecure as Secret;
    let secret = matches!(reason, Reason::PeerFault(Secret(WrongSecret | SecretRefused)));
    secret || reason.is_denial()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_that_may_lead_to_the_same_server_are_named() {
        let to = |n: u8, server: Option<&'static str>| DialState {
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
