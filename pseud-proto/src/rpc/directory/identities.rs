//! Routing id → session: who holds a name now. The newest link takes it, as at a ROUTER with
//! `ZMQ_ROUTER_HANDOVER` (libzmq's `router.cpp`, `identify_peer`), which Python pseud sets; but not from
//! another user, nor from a link that we opened.

use crate::auth::user::User;
use crate::call::PeerId;
use crate::call::peer::PeerInfo;
use crate::call::siblings::LinkId;
use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One name, and who announced it.
#[derive(Debug)]
struct Name {
    holder: Holder,
    /// Who announced the same name and does not hold it, oldest first. Hardly any name has such.
    standby: Option<Box<NamesakesWaiting>>,
}

#[derive(Debug, Default)]
struct NamesakesWaiting(Vec<Holder>);

#[derive(Debug)]
struct Holder {
    peer: PeerId,
    /// Who authentication says it is: nobody else takes the name from it. Whether we opened its link: nobody
    /// who opens one to us takes the name from it.
    info: Arc<PeerInfo>,
    /// Which of its node's links it is, if nobody had said so before.
    link: Option<LinkId>,
}

impl Holder {
    fn user(&self) -> &User {
        &self.info.user
    }
}

impl Name {
    fn all(&self) -> impl Iterator<Item = &Holder> {
        std::iter::once(&self.holder).chain(self.standby.iter().flat_map(|standby| &standby.0))
    }

    fn all_mut(&mut self) -> impl Iterator<Item = &mut Holder> {
        let standby = self.standby.iter_mut().flat_map(|standby| &mut standby.0);
        std::iter::once(&mut self.holder).chain(standby)
    }

    fn stand_by(&mut self, holder: Holder) {
        self.standby.get_or_insert_default().0.push(holder);
    }

    fn take(&mut self, newcomer: Holder) -> Option<PeerId> {
        let (holder, info) = (&self.holder, &newcomer.info);
        // Users are compared by id: one whose permissions have changed since is the same user.
        let is_another = holder.user().id() != info.user.id();
        let yields = is_another || info.siblings.yields_to(holder.link);
        if holder.info.dialed || !info.dialed && yields {
            self.stand_by(newcomer);
            return None;
        }
        let old = std::mem::replace(&mut self.holder, newcomer);
        if is_another {
            self.stand_by(old);
            return None;
        }
        Some(old.peer)
    }

    /// Who is to have it after its holder.
    fn successor(&mut self) -> Option<Holder> {
        let NamesakesWaiting(standby) = &mut **self.standby.as_mut()?;
        let dialed = standby.iter().position(|other| other.info.dialed);
        let same_user = || standby.iter().rposition(|other| other.user() == self.holder.user());
        let next = dialed.or_else(same_user).unwrap_or_default();
        (next < standby.len()).then(|| standby.remove(next))
    }
}

/// A name, as its holder announced it: it takes no more than that.
#[derive(Debug)]
struct HeldName(Arc<PeerInfo>);

impl Borrow<[u8]> for HeldName {
    fn borrow(&self) -> &[u8] {
        &self.0.identity
    }
}

impl Ord for HeldName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.identity.cmp(&other.0.identity)
    }
}

impl PartialOrd for HeldName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for HeldName {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for HeldName {}

/// The identity table. Sessions, not names, own calls: a name only says which session is meant now.
#[derive(Debug, Default)]
pub(crate) struct Names {
    table: BTreeMap<HeldName, Name>,
}

impl Names {
    pub(crate) fn holder(&self, name: &[u8]) -> Option<PeerId> {
        Some(self.table.get(name)?.holder.peer)
    }

    /// Its key is its holder's from now on.
    fn put(&mut self, name: Name) {
        self.table.insert(HeldName(name.holder.info.clone()), name);
    }

    /// The newest link takes the name, unless a link that we opened holds it, or another user, or a link
    /// to which the newcomer [yields](crate::Siblings::yields_to): then the newcomer stands by. Returns who lost it for good: another user than one whose link we
    /// opened only stands by.
    pub(crate) fn take(&mut self, peer: PeerId, info: &Arc<PeerInfo>) -> Option<PeerId> {
        let (info, link) = (info.clone(), info.siblings.link());
        let Some(mut name) = self.table.remove(&*info.identity) else {
            self.put(Name { holder: Holder { peer, info, link }, standby: None });
            return None;
        };
        let link = link.filter(|link| name.all().all(|other| other.link != Some(*link)));
        let old = name.take(Holder { peer, info, link });
        self.put(name);
        old
    }

    /// Whoever that session turned out to be, or is said to be now: nobody else takes the name from it.
    pub(crate) fn set_info(&mut self, peer: PeerId, info: &Arc<PeerInfo>) {
        let Some(mut name) = self.table.remove(&*info.identity) else { return };
        let known = name.all_mut().filter(|known| known.peer == peer);
        known.for_each(|known| known.info = info.clone());
        self.put(name);
    }

    /// That session holds the name no more. A newer holder stays; else who stands by takes it: one
    /// whose link we opened first, then the newest of the same user (the other link of a node before
    /// any that it has lost), then the oldest. Returns who took it.
    pub(crate) fn release(&mut self, name: &[u8], peer: PeerId) -> Option<PeerId> {
        let mut entry = self.table.remove(name)?;
        if let Some(standby) = &mut entry.standby {
            standby.0.retain(|other| other.peer != peer);
        }
        let has_left = entry.holder.peer == peer;
        if has_left {
            entry.holder = entry.successor()?;
        }
        entry.standby.take_if(|standby| standby.0.is_empty());
        let successor = has_left.then_some(entry.holder.peer);
        self.put(entry);
        successor
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::side::Side;
    use crate::base::slab::{Key, MachineId};
    use crate::call::siblings::Siblings;
    use bytes::Bytes;

    fn peer(index: u32) -> PeerId {
        PeerId(Key { machine: MachineId(7), index, generation: 0 })
    }

    fn info(dialed: bool, user: &'static str) -> Arc<PeerInfo> {
        let side = if dialed { Side::Connecting } else { Side::Accepting };
        PeerInfo::new("name".into()).with_side(side).with_user(user).into()
    }

    #[test]
    fn e_02_nobody_takes_the_name_of_another_user() {
        let (mut names, name) = (Names::default(), Bytes::from_static(b"name"));
        names.take(peer(1), &info(false, "alice"));
        assert!(names.take(peer(2), &info(false, "mallory")).is_none());
        assert_eq!(names.holder(&name), Some(peer(1)));
        assert_eq!(names.take(peer(3), &info(false, "alice")), Some(peer(1)));
    }

    #[test]
    fn e_01_a_user_whose_permissions_have_changed_gets_its_own_name_back() {
        let (mut names, name) = (Names::default(), Bytes::from_static(b"name"));
        names.take(peer(1), &info(false, "alice"));
        let mut promoted = info(false, "alice");
        let user = promoted.user.clone().with_permission("admin");
        Arc::make_mut(&mut promoted).user = user;
        assert_eq!(names.take(peer(2), &promoted), Some(peer(1)));
        assert_eq!(names.holder(&name), Some(peer(2)));
    }

    /// Whoever we call may say that it is anybody: that ends nobody else's session.
    #[test]
    fn e_02_a_link_that_we_opened_takes_no_more_than_the_name_of_another_user() {
        let (mut names, name) = (Names::default(), Bytes::from_static(b"name"));
        names.take(peer(1), &info(false, "alice"));
        assert_eq!(names.take(peer(2), &info(true, "")), None);
        assert_eq!(names.holder(&name), Some(peer(2)));
        assert_eq!(names.release(&name, peer(2)), Some(peer(1)));
        assert_eq!(names.take(peer(3), &info(true, "alice")), Some(peer(1)));
    }

    #[test]
    fn the_newest_of_those_who_came_to_us_holds_the_name() {
        let (mut names, name) = (Names::default(), Bytes::from_static(b"name"));
        assert!(names.take(peer(1), &info(false, "")).is_none());
        assert_eq!(names.take(peer(2), &info(false, "")), Some(peer(1)));
        assert_eq!(names.release(&name, peer(1)), None);
        assert_eq!(names.holder(&name), Some(peer(2)));
        assert_eq!(names.release(&name, peer(2)), None);
        assert!(names.table.is_empty());
    }

    #[test]
    fn e_05_nobody_takes_a_name_from_a_link_that_we_opened() {
        let (mut names, name) = (Names::default(), Bytes::from_static(b"name"));
        names.take(peer(1), &info(true, ""));
        assert!(names.take(peer(2), &info(false, "")).is_none());
        assert!(names.take(peer(3), &info(true, "")).is_none());
        assert_eq!(names.holder(&name), Some(peer(1)));
        for (leaves, successor) in [(1, Some(3)), (3, Some(2)), (2, None)] {
            let successor = successor.map(peer);
            assert_eq!(names.release(&name, peer(leaves)), successor);
            assert_eq!(names.holder(&name), successor);
        }
        assert!(names.table.is_empty());
    }

    fn link(id: u8, beside: &[u8], user: &'static str) -> Arc<PeerInfo> {
        let id_of = |id: u8| LinkId::new([id; 8]);
        let siblings = Siblings::new(id_of(id), beside.iter().map(|&other| id_of(other)));
        Arc::unwrap_or_clone(info(false, user)).with_siblings(siblings).into()
    }

    #[test]
    fn a_second_link_of_a_node_stands_by_and_takes_over() {
        for user in ["", "alice"] {
            let (mut names, name) = (Names::default(), Bytes::from_static(b"name"));
            assert_eq!(names.take(peer(1), &link(1, &[], user)), None);
            // Somebody else has waited for longer.
            assert_eq!(names.take(peer(9), &info(false, "mallory")), None);
            assert_eq!(names.take(peer(2), &link(2, &[1], user)), None);
            assert_eq!(names.holder(&name), Some(peer(1)));
            assert_eq!(names.release(&name, peer(1)), Some(peer(2)));
            assert_eq!(names.take(peer(3), &link(3, &[2], user)), None);
            assert_eq!(names.release(&name, peer(3)), None);
            assert_eq!(names.release(&name, peer(2)), Some(peer(9)));
        }
    }

    /// What a half dead link holds its node takes back at once, whichever of its links still live.
    #[test]
    fn a_node_does_not_yield_to_a_link_that_it_has_lost() {
        let (mut names, name) = (Names::default(), Bytes::from_static(b"name"));
        names.take(peer(1), &link(1, &[2], ""));
        names.take(peer(2), &link(2, &[1], ""));
        assert_eq!(names.holder(&name), Some(peer(1)));
        assert_eq!(names.take(peer(3), &link(3, &[2], "")), Some(peer(1)));
        assert_eq!(names.holder(&name), Some(peer(3)));
        assert_eq!(names.take(peer(4), &link(4, &[], "")), Some(peer(3)), "all are lost");
    }

    /// An id is of the session that brought it first: an echo of it is not what the node names.
    #[test]
    fn nobody_yields_to_an_echo() {
        let (mut names, name) = (Names::default(), Bytes::from_static(b"name"));
        names.take(peer(1), &link(1, &[2], ""));
        names.take(peer(2), &link(2, &[1], ""));
        assert_eq!(names.take(peer(9), &link(2, &[], "")), Some(peer(1)), "the newest");
        assert_eq!(names.take(peer(3), &link(3, &[2], "")), Some(peer(9)));
        assert_eq!(names.holder(&name), Some(peer(3)));
        assert_eq!(names.release(&name, peer(3)), Some(peer(2)));
    }

    /// Who announces what others do only ever stands by; who does not name it takes the name from it.
    #[test]
    fn whoever_repeats_anothers_link_gains_nothing() {
        let (mut names, name) = (Names::default(), Bytes::from_static(b"name"));
        names.take(peer(1), &link(1, &[], ""));
        assert_eq!(
            names.take(peer(6), &link(6, &[1], "")),
            None,
            "it says that it is of that node"
        );
        assert_eq!(names.holder(&name), Some(peer(1)));
        // The node comes back while an echo of its own ids holds the name.
        assert_eq!(names.release(&name, peer(1)), Some(peer(6)));
        assert_eq!(names.take(peer(7), &link(7, &[], "")), Some(peer(6)));
        assert_eq!(
            names.take(peer(8), &link(7, &[], "")),
            Some(peer(7)),
            "the same id yields nothing"
        );
        let mut names = Names::default();
        names.take(peer(1), &link(1, &[], "mallory"));
        names.take(peer(2), &link(2, &[1], "alice"));
        assert_eq!(names.release(&name, peer(1)), Some(peer(2)), "another user never shares it");
    }
}
