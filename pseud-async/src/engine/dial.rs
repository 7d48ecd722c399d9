//! An endpoint that we connect to: what came of it, for watchers and for calls that wait for the server,
//! and what it tells its peer of the others, so that a second link to one server stands by there instead
//! of taking the first one's name.

use super::dials::{DialState, Dials};
use super::event::KeptEvent;
use super::hub::Hub;
use pseud_proto::{LinkId, Reason, Siblings};
use std::sync::Arc;

/// An endpoint that we connect to, for as long as it does.
#[derive(Debug)]
pub struct Dial {
    hub: Arc<Hub>,
    endpoint: String,
    key: usize,
}

impl Dial {
    /// One that was not tried yet. Before its first attempt: the links of others that are about to be
    /// opened tell of it.
    pub(crate) fn new(hub: &Arc<Hub>, endpoint: &str) -> Self {
        let (link, leads_to) = (draw(hub), hub.config.server.clone());
        let dialed = DialState { is_trying: true, failed: None, link, leads_to };
        let key = hub.lock().dials.all.insert(dialed);
        let dial = Self { hub: hub.clone(), endpoint: endpoint.to_owned(), key };
        dial.note(|_| {});
        dial
    }

    /// An attempt begins.
    pub fn connecting(&self) {
        self.hub.notify(&KeptEvent::Connecting { endpoint: self.endpoint.clone() });
        self.note(|dialed| dialed.is_trying = true);
    }

    /// There was no connection to be had at one of its addresses.
    pub fn report_failed(&self, error: &std::io::Error) {
        let (endpoint, error) = (self.endpoint.clone(), error.to_string());
        self.hub.notify(&KeptEvent::ConnectFailed { endpoint, error });
    }

    /// Nor at any other: this attempt came to nothing.
    pub fn failed(&self) {
        self.over(None);
    }

    /// Its link ended for that reason, before or after its handshake was over.
    pub fn ended(&self, reason: Reason, was_ready: bool) {
        self.over(match reason {
            Reason::Revoked | Reason::Unauthorized | Reason::Occupied => Some(reason),
            Reason::Denied | Reason::PeerFault(_) if !was_ready => Some(reason),
            _ => None,
        });
    }

    /// The next attempt is another link. Until it is told, peers that hear of the old one take it to be
    /// alive.
    fn over(&self, failed: Option<Reason>) {
        let link = draw(&self.hub);
        self.note(|dialed| {
            (dialed.is_trying, dialed.failed, dialed.link) = (false, failed, link);
        });
    }

    fn note(&self, change: impl FnOnce(&mut DialState)) {
        self.hub.change_dials(|dials| {
            if let Some(known) = dials.all.get_mut(self.key) {
                change(known);
            }
        });
    }

    pub(crate) fn siblings(&self) -> Siblings {
        self.hub.lock().dials.siblings(self.key)
    }
}

impl Drop for Dial {
    fn drop(&mut self) {
        self.hub.change_dials(|dials| drop(dials.all.try_remove(self.key)));
    }
}

impl Hub {
    /// From here on others may connect to us.
    pub(crate) fn listens(&self) {
        self.change_dials(|dials| dials.listens = true);
    }

    /// What came of connecting is otherwise: calls that wait for the server may wait in vain.
    fn change_dials(&self, change: impl FnOnce(&mut Dials)) {
        let mut inner = self.lock();
        change(&mut inner.dials);
        let (why, is_final) = (inner.dials.why(), inner.dials.is_final());
        let in_vain = inner.directory.set_unreachable(why, is_final);
        let ended = inner.ended(in_vain);
        drop(inner);
        self.not_executed(ended);
    }
}

fn draw(hub: &Hub) -> Option<LinkId> {
    let seed = hub.runtime.seed().ok()?;
    Some(LinkId::new(*seed.first_chunk()?))
}
