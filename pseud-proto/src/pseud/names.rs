//! Routing id → session: who holds a name now.

use crate::call::PeerId;
use bytes::Bytes;
use std::collections::BTreeMap;

#[derive(Debug, Default)]
struct Name {
    holder: Option<Holder>,
    /// Who announced the same name and does not hold it, oldest first.
    standby: Vec<Holder>,
}

#[derive(Debug, Clone, Copy)]
struct Holder {
    peer: PeerId,
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
        Some(self.table.get(name)?.holder?.peer)
    }

    /// The newest link takes the name, unless a link that we opened holds it: then the newcomer
    /// stands by. Returns who lost it.
    pub(super) fn take(&mut self, name: Bytes, peer: PeerId, dialed: bool) -> Option<PeerId> {
        let entry = self.table.entry(name).or_default();
        if entry.holder.is_some_and(|holder| holder.dialed) {
            entry.standby.push(Holder { peer, dialed });
            return None;
        }
        Some(entry.holder.replace(Holder { peer, dialed })?.peer)
    }

    /// That session holds the name no more. A newer holder stays; else who stands by takes it, one
    /// whose link we opened first.
    pub(super) fn release(&mut self, name: &Bytes, peer: PeerId) {
        let Some(entry) = self.table.get_mut(name) else { return };
        entry.standby.retain(|other| other.peer != peer);
        if entry.holder.is_some_and(|holder| holder.peer == peer) {
            let next = entry.standby.iter().position(|other| other.dialed).unwrap_or_default();
            let heir = (next < entry.standby.len()).then(|| entry.standby.remove(next));
            entry.holder = heir;
        }
        if entry.holder.is_none() {
            self.table.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slab::Key;

    fn peer(index: u32) -> PeerId {
        PeerId(Key { index, generation: 0 })
    }

    #[test]
    fn the_newest_of_those_who_came_to_us_holds_the_name() {
        let (mut names, name) = (Names::default(), Bytes::from_static(b"desk"));
        assert!(names.take(name.clone(), peer(1), false).is_none());
        assert_eq!(names.take(name.clone(), peer(2), false), Some(peer(1)));
        names.release(&name, peer(1));
        assert_eq!(names.holder(&name), Some(peer(2)));
        names.release(&name, peer(2));
        assert!(names.table.is_empty());
    }

    #[test]
    fn e_05_nobody_takes_a_name_from_a_link_that_we_opened() {
        let (mut names, name) = (Names::default(), Bytes::from_static(b"server"));
        names.take(name.clone(), peer(1), true);
        assert!(names.take(name.clone(), peer(2), false).is_none());
        assert!(names.take(name.clone(), peer(3), true).is_none());
        assert_eq!(names.holder(&name), Some(peer(1)));
        names.release(&name, peer(1));
        assert_eq!(names.holder(&name), Some(peer(3)));
        names.release(&name, peer(3));
        assert_eq!(names.holder(&name), Some(peer(2)));
        names.release(&name, peer(2));
        assert!(names.table.is_empty());
    }
}
