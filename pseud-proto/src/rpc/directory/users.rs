//! User id → sessions: where authentication says that a user is.

use crate::auth::user::User;
use crate::call::PeerId;
use bytes::Bytes;
use std::collections::BTreeMap;

/// The sessions of each user. Nobody is here whom nobody authenticated; an identity never gets in.
#[derive(Debug, Default)]
pub(crate) struct Users {
    table: BTreeMap<Bytes, Sessions>,
}

/// One user's sessions.
#[derive(Debug, Default)]
struct Sessions {
    /// Those that are called, in order of joining: one for each node.
    called: Vec<PeerId>,
    /// Further links of the same nodes, oldest first.
    standby: Vec<Standby>,
}

#[derive(Debug)]
struct Standby {
    peer: PeerId,
    /// Whose place it takes when that ends.
    elder: PeerId,
}

impl Sessions {
    fn leave(&mut self, peer: PeerId) {
        self.standby.retain(|other| other.peer != peer);
        let Some(place) = self.called.iter().position(|&other| other == peer) else { return };
        let Some(next) = self.standby.iter().position(|other| other.elder == peer) else {
            self.called.remove(place);
            return;
        };
        let successor = self.standby.remove(next).peer;
        if let Some(called) = self.called.get_mut(place) {
            *called = successor;
        }
        for other in self.standby.iter_mut().filter(|other| other.elder == peer) {
            other.elder = successor;
        }
    }
}

impl Users {
    /// That user's sessions that are called, the newest last.
    pub(crate) fn sessions(&self, id: &[u8]) -> &[PeerId] {
        self.table.get(id).map_or(&[], |sessions| &sessions.called)
    }

    /// The same, and those that stand by.
    pub(crate) fn all(&self, id: &[u8]) -> impl Iterator<Item = PeerId> {
        let sessions = self.table.get(id).into_iter();
        sessions.flat_map(|sessions| {
            let standby = sessions.standby.iter().map(|other| other.peer);
            sessions.called.iter().copied().chain(standby)
        })
    }

    /// A session begins; it stands by while `elder` is there, another link of the same node.
    pub(crate) fn join(&mut self, user: &User, peer: PeerId, elder: Option<PeerId>) {
        if user.is_anonymous() {
            return;
        }
        let sessions = self.table.entry(user.id().clone()).or_default();
        match elder {
            Some(elder) => sessions.standby.push(Standby { peer, elder }),
            None => sessions.called.push(peer),
        }
    }

    /// Forgets that user; returns all sessions that it had.
    pub(crate) fn take(&mut self, id: &[u8]) -> Vec<PeerId> {
        let Sessions { mut called, standby } = self.table.remove(id).unwrap_or_default();
        called.extend(standby.iter().map(|other| other.peer));
        called
    }

    pub(crate) fn leave(&mut self, user: &User, peer: PeerId) {
        let Some(sessions) = self.table.get_mut(user.id()) else { return };
        sessions.leave(peer);
        if sessions.called.is_empty() {
            self.table.remove(user.id());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::slab::{Key, MachineId};

    #[test]
    fn sessions_stand_in_order_of_joining_and_leave_nothing() {
        let [first, second] =
            [1, 2].map(|index| PeerId(Key { machine: MachineId(7), index, generation: 0 }));
        let (mut users, alice) = (Users::default(), User::new("alice"));
        users.join(&alice, second, None);
        users.join(&alice, first, None);
        users.join(&User::default(), first, None);
        assert_eq!(users.sessions(b"alice"), [second, first]);
        assert_eq!(users.sessions(b""), []);
        users.leave(&alice, first);
        users.leave(&User::default(), second);
        assert_eq!(users.sessions(b"alice"), [second]);
        users.leave(&alice, second);
        assert!(users.table.is_empty());
        users.join(&alice, first, None);
        users.join(&alice, second, None);
        assert_eq!(users.take(b"alice"), [first, second]);
        users.leave(&alice, second);
        assert!(users.table.is_empty() && users.take(b"alice").is_empty());
    }

    #[test]
    fn a_second_link_of_a_node_takes_the_place_of_the_first() {
        let [desk, lamp, second, third] =
            [1, 2, 3, 4].map(|index| PeerId(Key { machine: MachineId(7), index, generation: 0 }));
        let (mut users, alice) = (Users::default(), User::new("alice"));
        users.join(&alice, desk, None);
        users.join(&alice, lamp, None);
        users.join(&alice, second, Some(desk));
        users.join(&alice, third, Some(desk));
        assert_eq!(users.sessions(b"alice"), [desk, lamp]);
        users.leave(&alice, desk);
        assert_eq!(users.sessions(b"alice"), [second, lamp]);
        users.leave(&alice, second);
        assert_eq!(users.sessions(b"alice"), [third, lamp]);
        users.leave(&alice, lamp);
        users.leave(&alice, third);
        assert!(users.table.is_empty());
        users.join(&alice, desk, None);
        users.join(&alice, second, Some(desk));
        users.leave(&alice, second);
        assert_eq!(users.sessions(b"alice"), [desk]);
        users.join(&alice, second, Some(desk));
        assert_eq!(users.take(b"alice"), [desk, second]);
    }
}
