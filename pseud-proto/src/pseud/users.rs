//! User id → sessions: where authentication says that a user is.

use crate::call::PeerId;
use crate::user::User;
use bytes::Bytes;
use std::collections::BTreeMap;

/// The sessions of each user, in order of joining. Nobody is here whom nobody authenticated; a
/// routing id never gets in.
#[derive(Debug, Default)]
pub(super) struct Users {
    table: BTreeMap<Bytes, Vec<PeerId>>,
}

impl Users {
    /// That user's sessions, the newest last.
    pub(super) fn sessions(&self, id: &[u8]) -> &[PeerId] {
        self.table.get(id).map_or(&[], Vec::as_slice)
    }

    pub(super) fn join(&mut self, user: &User, peer: PeerId) {
        if !user.is_anonymous() {
            self.table.entry(user.id().clone()).or_default().push(peer);
        }
    }

    /// Forgets that user; returns the sessions that it had, the newest last.
    pub(super) fn take(&mut self, id: &[u8]) -> Vec<PeerId> {
        self.table.remove(id).unwrap_or_default()
    }

    pub(super) fn leave(&mut self, user: &User, peer: PeerId) {
        let Some(sessions) = self.table.get_mut(user.id()) else { return };
        sessions.retain(|&other| other != peer);
        if sessions.is_empty() {
            self.table.remove(user.id());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slab::{Key, MachineId};

    #[test]
    fn sessions_stand_in_order_of_joining_and_leave_nothing() {
        let [first, second] =
            [1, 2].map(|index| PeerId(Key { machine: MachineId(7), index, generation: 0 }));
        let (mut users, alice) = (Users::default(), User::new("alice"));
        users.join(&alice, second);
        users.join(&alice, first);
        users.join(&User::default(), first);
        assert_eq!(users.sessions(b"alice"), [second, first]);
        assert_eq!(users.sessions(b""), []);
        users.leave(&alice, first);
        users.leave(&User::default(), second);
        assert_eq!(users.sessions(b"alice"), [second]);
        users.leave(&alice, second);
        assert!(users.table.is_empty());
        users.join(&alice, first);
        users.join(&alice, second);
        assert_eq!(users.take(b"alice"), [first, second]);
        users.leave(&alice, second);
        assert!(users.table.is_empty() && users.take(b"alice").is_empty());
    }
}
