//! Routing id → session: who holds a name now.

use crate::call::PeerId;
use crate::peer::PeerInfo;
use crate::user::User;
use bytes::Bytes;
use std::collections::BTreeMap;

#[derive(Debug, Default)]
struct Name {
    holder: Option<Holder>,
    /// Who announced the same name and does not hold it, oldest first.
    standby: Vec<Holder>,
}

#[derive(Debug, Clone)]
struct Holder {
    peer: PeerId,
    /// Who authentication says it is: nobody else takes the name from it.
    user: User,
    /// We opened its link: nobody who opens one to us takes the name from it.
    dialed: bool,
}

/// The identity table. Sessions, not names, own calls: a name only says which session is meant now.
#[derive(Debug, Default)]
pub(super) struct Names {
    table: BTreeMap<Bytes, Name>,
}

impl Names {
    pub(super) fn holder(&self, name: &[u8]) -> Option<PeerId> {
        Some(self.table.get(name)?.holder.as_ref()?.peer)
    }

    /// The newest link takes the name, unless a link that we opened holds it, or another user: then
    /// the newcomer stands by. Returns who lost it for good: another user than one whose link we
    /// opened only stands by.
    pub(super) fn take(&mut self, peer: PeerId, info: &PeerInfo) -> Option<PeerId> {
        let newcomer = Holder { peer, user: info.user.clone(), dialed: info.dialed };
        let entry = self.table.entry(info.identity.clone()).or_default();
        let keeps = |holder: &Holder| holder.dialed || !info.dialed && holder.user != info.user;
        if entry.holder.as_ref().is_some_and(keeps) {
            entry.standby.push(newcomer);
            return None;
        }
        let old = entry.holder.replace(newcomer)?;
        if old.user != info.user {
            entry.standby.push(old);
            return None;
        }
        Some(old.peer)
    }

    /// That session holds the name no more. A newer holder stays; else who stands by takes it, one
    /// whose link we opened first. Returns who took it.
    pub(super) fn release(&mut self, name: &Bytes, peer: PeerId) -> Option<PeerId> {
        let entry = self.table.get_mut(name)?;
        entry.standby.retain(|other| other.peer != peer);
        if entry.holder.as_ref().is_some_and(|holder| holder.peer != peer) {
            return None;
        }
        let next = entry.standby.iter().position(|other| other.dialed).unwrap_or_default();
        let heir = (next < entry.standby.len()).then(|| entry.standby.remove(next));
        let Some(heir) = heir else {
            self.table.remove(name);
            return None;
        };
        Some(entry.holder.insert(heir).peer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slab::{Key, MachineId};
    use crate::zmtp::Side;

    fn peer(index: u32) -> PeerId {
        PeerId(Key { machine: MachineId(7), index, generation: 0 })
    }

    fn info(dialed: bool, user: &'static str) -> PeerInfo {
        let side = if dialed { Side::Connecting } else { Side::Accepting };
        PeerInfo::new("name".into()).with_side(side).with_user(user)
    }

    #[test]
    fn e_02_nobody_takes_the_name_of_another_user() {
        let (mut names, name) = (Names::default(), Bytes::from_static(b"name"));
        names.take(peer(1), &info(false, "alice"));
        assert!(names.take(peer(2), &info(false, "mallory")).is_none());
        assert_eq!(names.holder(&name), Some(peer(1)));
        assert_eq!(names.take(peer(3), &info(false, "alice")), Some(peer(1)));
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
        for (leaves, heir) in [(1, Some(3)), (3, Some(2)), (2, None)] {
            let heir = heir.map(peer);
            assert_eq!(names.release(&name, peer(leaves)), heir);
            assert_eq!(names.holder(&name), heir);
        }
        assert!(names.table.is_empty());
    }
}
