//! Who is there, for whoever asks.

use crate::base::slab::Key;
use crate::call::peer::PeerInfo;
use crate::call::{PeerId, To};
use crate::error::Reason;
use crate::rpc::config::UserSessions;
use crate::rpc::directory::Directory;
use crate::rpc::directory::find::Target;
use std::sync::Arc;

impl Directory {
    /// The session that holds that identity now.
    pub fn peer_named(&self, identity: &[u8]) -> Option<PeerId> {
        self.names.holder(identity)
    }

    /// The sessions that are authenticated as that user, the newest last. A further link of a node that
    /// has one already is not among them while it stands by.
    pub fn sessions_of(&self, user: &[u8]) -> &[PeerId] {
        self.users.sessions(user)
    }

    /// The session that a call to that would go to now; `None` where it would wait or be refused.
    pub fn session_of(&self, to: &To) -> Option<PeerId> {
        match self.find(to) {
            Ok(Target::Session(peer)) => Some(peer).filter(|peer| self.peer_info(*peer).is_some()),
            Ok(Target::Nobody(_)) | Err(_) => None,
        }
    }

    /// The session of that name, as [`PeerId`] writes it, if it is there.
    pub fn session_named(&self, name: &str) -> Option<PeerId> {
        self.place_named(name).filter(|peer| self.peer_info(*peer).is_some())
    }

    /// The same, whether it is there, was, or will be: a place in the order of sessions.
    pub fn place_named(&self, name: &str) -> Option<PeerId> {
        let (index, generation) = name.split_once('-')?;
        let (index, generation) = (index.parse().ok()?, generation.parse().ok()?);
        let peer = PeerId(Key { machine: self.machine(), index, generation });
        // Each has one name: none with a sign or zeros before it.
        (peer.to_string() == name).then_some(peer)
    }

    /// The sessions that are there behind that one in their order, with who is behind each.
    pub fn sessions_behind(
        &self,
        after: Option<PeerId>,
    ) -> impl Iterator<Item = (PeerId, &Arc<PeerInfo>)> {
        let start = after.map_or(0, |PeerId(key)| key.index);
        self.members
            .iter_from(start)
            .map(|(key, member)| (PeerId(key), &member.info))
            .filter(move |(peer, _)| after.is_none_or(|after| after < *peer))
    }

    /// The sessions that its user is not to have beside each other, now that it has that one, and why
    /// each of them ends.
    pub fn too_many(&self, peer: PeerId) -> Vec<(PeerId, Reason)> {
        let policy = self.config.user_sessions;
        if policy == UserSessions::Several {
            return Vec::new();
        }
        let Some(info) = self.peer_info(peer) else { return Vec::new() };
        let sessions = self.users.sessions(info.user.id());
        // They are in the order in which they came: of two that came at once each knows which was first. A
        // further link of a node that has a session is not among them.
        let Some(place) = sessions.iter().position(|session| *session == peer) else {
            return Vec::new();
        };
        let mut older = sessions.iter().take(place);
        match policy {
            UserSessions::Newest => older.map(|old| (*old, Reason::Replaced)).collect(),
            UserSessions::Oldest if older.next().is_some() => vec![(peer, Reason::Occupied)],
            _ => Vec::new(),
        }
    }
}
