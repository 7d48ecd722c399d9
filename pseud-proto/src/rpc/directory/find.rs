//! Whom a call is for.

use crate::call::{PeerId, Several, To};
use crate::error::{CallRefused, Reason};
use crate::rpc::directory::Directory;
use crate::rpc::directory::parked::Awaited;
use bytes::Bytes;

/// Whom a call turned out to be for.
///
/// Closed: a driver must see to each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// That session. It may end before it is looked up: then ask again.
    Session(PeerId),
    /// Nobody who is there now: [wait](Directory::wait) for it.
    Nobody(AbsentPeer),
}

/// Somebody who is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbsentPeer {
    /// Who to wait for.
    pub whom: Awaited,
    /// Whether that is the configured server.
    pub is_server: bool,
    /// Whether to wait until the call's own deadline.
    pub is_patient: bool,
}

impl Directory {
    /// Whom a call to that would go to now.
    ///
    /// # Errors
    /// An empty name, no configured server, or several sessions where only one is meant.
    pub fn find(&self, to: &To) -> Result<Target, CallRefused> {
        let (session, whom) = match to {
            To::Peer(peer) => return Ok(Target::Session(*peer)),
            To::Server => {
                let name = self.config.server.clone().ok_or(CallRefused::NoServer)?;
                (self.names.holder(&name), Awaited::Identity(name))
            }
            To::Identity(name) => (self.names.holder(name), Awaited::Identity(name.clone())),
            To::User { id, several } => {
                (self.session_of_user(id, *several)?, Awaited::User(id.clone()))
            }
            To::Known { id, several } => {
                let user = self.session_of_user(id, *several)?;
                (user.or_else(|| self.unauthenticated(id)), Awaited::Known(id.clone()))
            }
        };
        if let Some(peer) = session.filter(|&peer| self.is_welcome(peer)) {
            return Ok(Target::Session(peer));
        }
        if whom.is_empty() {
            return Err(CallRefused::PeerNameEmpty);
        }
        let is_patient = matches!(to, To::Server);
        let is_server = is_patient || is_named(&whom, self.config.server.as_ref());
        Ok(Target::Nobody(AbsentPeer { whom, is_server, is_patient }))
    }

    /// Why waiting for the configured server is in vain, if it is.
    pub fn in_vain(&self) -> Option<Reason> {
        self.unreachable.is_final()
    }

    /// A session that takes no calls is only meant where there is no other.
    fn session_of_user(&self, id: &[u8], several: Several) -> Result<Option<PeerId>, CallRefused> {
        let sessions = match self.users.sessions(id) {
            [] => return Ok(None),
            [only] => return Ok(Some(*only)),
            sessions => sessions,
        };
        let callable = || sessions.iter().rev().copied().filter(|&peer| self.takes_calls(peer));
        match (callable().count(), several) {
            (count @ 2.., Several::Refuse) => Err(CallRefused::SeveralSessions { count }),
            _ => Ok(callable().next().or(sessions.last().copied())),
        }
    }

    fn takes_calls(&self, peer: PeerId) -> bool {
        self.peer_info(peer).is_some_and(|info| info.takes_calls())
    }

    /// Who holds that identity, unless it is a user: that is known by its user id alone.
    fn unauthenticated(&self, name: &[u8]) -> Option<PeerId> {
        let holder = self.names.holder(name)?;
        self.peer_info(holder).is_some_and(|info| info.user.is_anonymous()).then_some(holder)
    }
}

/// Whether the configured server is meant by its name.
fn is_named(whom: &Awaited, server: Option<&Bytes>) -> bool {
    match whom {
        Awaited::Identity(name) | Awaited::Known(name) => Some(name) == server,
        Awaited::User(_) => false,
    }
}
