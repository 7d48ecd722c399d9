//! What the node's lock guards: who is there, and who waits for somebody to be. No session is among it.

use super::absent::{AbsentOf, AwaitingOf};
use super::any_link::AnyLink;
use super::dials::Dials;
use super::pending_link::PendingLinks;
use super::seated::SeatOf;
use super::wait_list::WaitList;
use super::watchers::Watchers;
use pseud_proto::peer::PeerInfo;
use pseud_proto::session::{Directory, NewCall, Parking};
use pseud_proto::{PeerId, Reason};
use slab::Slab;
use std::sync::Arc;

/// The directory, and who waits for what of it.
#[derive(Debug)]
pub(crate) struct NodeState<H> {
    pub(crate) directory: Directory,
    /// By the slots of their sessions.
    present: Vec<Option<Present<H>>>,
    /// The callers of calls that wait in the directory, by their tags.
    pub(crate) absent: Slab<Arc<AbsentOf<H>>>,
    pub(crate) joining: WaitList,
    pub(crate) ending: WaitList,
    /// Who waits for the node to be idle.
    pub(crate) idling: WaitList,
    pub(crate) watchers: Watchers,
    /// Links whose handshake is not over.
    pub(crate) strangers: PendingLinks,
    /// Endpoints that we connect to.
    pub(crate) dials: Dials,
    pub(crate) shut_down: bool,
    /// It has shut down, and watchers were told all that there was.
    pub(crate) all_told: bool,
}

/// Somebody who is there.
#[derive(Debug)]
pub(crate) struct Present<H> {
    pub(crate) seat: Arc<SeatOf<H>>,
    pub(crate) link: Option<Arc<dyn AnyLink>>,
    /// Whether watchers were told of it.
    pub(crate) is_announced: bool,
}

impl<H> NodeState<H> {
    pub(crate) fn new(directory: Directory) -> Self {
        Self {
            directory,
            present: Vec::new(),
            absent: Slab::new(),
            joining: WaitList::default(),
            ending: WaitList::default(),
            idling: WaitList::default(),
            watchers: Watchers::default(),
            strangers: PendingLinks::default(),
            dials: Dials::default(),
            shut_down: false,
            all_told: false,
        }
    }

    pub(crate) fn present(&self, peer: PeerId) -> Option<&Present<H>> {
        self.present.get(peer.slot())?.as_ref().filter(|present| present.seat.peer == peer)
    }

    pub(crate) fn present_mut(&mut self, peer: PeerId) -> Option<&mut Present<H>> {
        self.present.get_mut(peer.slot())?.as_mut().filter(|present| present.seat.peer == peer)
    }

    pub(crate) fn seat(&self, peer: PeerId) -> Option<Arc<SeatOf<H>>> {
        self.present(peer).map(|present| present.seat.clone())
    }

    /// All of them.
    pub(crate) fn seats(&self) -> impl Iterator<Item = &Arc<SeatOf<H>>> {
        self.present.iter().flatten().map(|present| &present.seat)
    }

    pub(crate) fn attach(&mut self, seat: Arc<SeatOf<H>>, link: Option<Arc<dyn AnyLink>>) {
        let slot = seat.peer.slot();
        if self.present.len() <= slot {
            self.present.resize_with(slot + 1, || None);
        }
        self.present[slot] = Some(Present { seat, link, is_announced: false });
    }

    /// What is returned is to be dropped behind the lock.
    pub(crate) fn detach(&mut self, peer: PeerId) -> Option<Present<H>> {
        let entry = self.present.get_mut(peer.slot())?;
        let detached = entry.take_if(|present| present.seat.peer == peer);
        while self.present.last().is_some_and(Option::is_none) {
            self.present.pop();
        }
        if self.present.len() < self.present.capacity() / 4 {
            self.present.shrink_to(2 * self.present.len());
        }
        detached
    }

    /// The sessions behind that one, in their order, that watchers were told of.
    pub(crate) fn behind(
        &self,
        after: Option<PeerId>,
    ) -> impl Iterator<Item = (&Present<H>, &Arc<PeerInfo>)> {
        let known = self.directory.sessions_behind(after);
        known
            .filter_map(|(peer, info)| Some((self.present(peer)?, info)))
            .filter(|(present, _)| present.is_announced)
    }

    /// The sessions of that user, the newest last.
    pub(crate) fn sessions_of(&self, user: &[u8]) -> Vec<(Arc<SeatOf<H>>, Arc<PeerInfo>)> {
        let sessions = self.directory.sessions_of(user).iter();
        let known =
            |peer: &PeerId| Some((self.seat(*peer)?, self.directory.peer_info(*peer)?.clone()));
        sessions.filter_map(known).collect()
    }

    /// Who is there.
    pub(crate) fn sessions(&self) -> Vec<(Arc<SeatOf<H>>, Arc<PeerInfo>)> {
        let all = self.behind(None);
        all.map(|(present, info)| (present.seat.clone(), info.clone())).collect()
    }

    /// Calls that were taken out of the directory, each with who waits for it.
    pub(crate) fn waiting(&mut self, calls: Vec<NewCall>) -> Vec<AwaitingOf<H>> {
        calls.into_iter().filter_map(|call| self.waiting_one(call)).collect()
    }

    /// The same of such as are over, with why.
    pub(crate) fn ended(&mut self, calls: Vec<(NewCall, Reason)>) -> Vec<(AwaitingOf<H>, Reason)> {
        let with_caller = |(call, why)| Some((self.waiting_one(call)?, why));
        calls.into_iter().filter_map(with_caller).collect()
    }

    fn waiting_one(&mut self, call: NewCall) -> Option<AwaitingOf<H>> {
        let caller = self.absent.try_remove(call.tag as usize)?;
        if self.absent.is_empty() {
            self.absent = Slab::new();
        }
        Some(AwaitingOf { call, caller })
    }

    /// A call that waits is given up; nothing happens where it waits no more. What is returned is to be
    /// dropped behind the lock.
    pub(crate) fn give_up(&mut self, parking: Parking) -> Option<AwaitingOf<H>> {
        let call = self.directory.give_up(parking)?;
        self.waiting_one(call)
    }
}
