//! Somebody to call.

use super::Call;
use crate::call::pending::Pending;
use crate::call::service::Service;
use crate::engine::hub::Hub;
use pseud_proto::peer::PeerInfo;
use pseud_proto::{CallOptions, CallRefused, Packed, Parting, PeerError, PeerId, Several, To};
use serde::Serialize;
use smol_str::SmolStr;
use std::fmt;
use std::sync::Arc;

/// Somebody to call: a handle, cheap to clone.
///
/// It means one session ([`Caller::peer`](crate::Caller::peer),
/// [`Node::sessions`](crate::Node::sessions)), or whoever is a user or holds an identity when it is
/// called. An answer is only believed from the session that was asked.
///
/// ```no_run
/// use pseud::{CallError, Server};
///
/// # async fn run(server: Server) -> Result<(), CallError> {
/// let desk = server.peer("desk 1"); // whoever holds that identity when it is called
/// let charly = server.user("charly"); // whoever is authenticated as that user
/// let lamp: bool = desk.call("is_lit", ("lamp",)).await?;
/// let sum: i64 = charly.call("add", (2, 4)).await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Peer {
    hub: Arc<Hub>,
    to: To,
    /// Who is behind that session, if it means one.
    info: Option<Arc<PeerInfo>>,
}

impl Peer {
    pub(crate) fn new(hub: Arc<Hub>, to: To) -> Self {
        Self { hub, to, info: None }
    }

    pub(crate) fn of_session(hub: Arc<Hub>, session: PeerId, info: Arc<PeerInfo>) -> Self {
        Self { hub, to: To::Peer(session), info: Some(info) }
    }

    /// Handles to those sessions.
    pub(crate) fn all(hub: &Arc<Hub>, present: Vec<(PeerId, Arc<PeerInfo>)>) -> Vec<Self> {
        let peer = |(session, info)| Self::of_session(hub.clone(), session, info);
        present.into_iter().map(peer).collect()
    }

    /// Calls this peer. `args` is a tuple: `("Charly",)`, `()`. See [`Call`].
    pub fn call<T, A: Serialize>(&self, name: impl AsRef<str>, args: A) -> Call<T, A> {
        Call::new(self.hub.clone(), self.to.clone(), SmolStr::new(name), args)
    }

    /// A service of this peer. See [`Service`].
    pub fn service(&self, name: impl AsRef<str>) -> Service {
        Service::new(self.hub.clone(), self.to.clone(), name.as_ref())
    }

    /// The same user, but calls are refused
    /// ([`CallRefused::SeveralSessions`](pseud_proto::CallRefused)) while it has several sessions.
    /// Whoever is no user has one at most.
    #[must_use]
    pub fn require_single_session(mut self) -> Self {
        if let To::User { several, .. } | To::Known { several, .. } = &mut self.to {
            *several = Several::Refuse;
        }
        self
    }

    /// Who is behind the session that it means, also after that has ended. Of a user or an identity: who
    /// would be called now; `None` where nobody would, or nobody alone.
    pub fn info(&self) -> Option<Arc<PeerInfo>> {
        if self.info.is_some() {
            return self.info.clone();
        }
        let inner = self.hub.lock();
        let peer = inner.endpoint.session_of(&self.to)?;
        inner.endpoint.peer_info(peer).cloned()
    }

    /// The session that it means, also after that has ended; of a user or an identity the one that would
    /// be called now. It is the same in [`ConnectionEvent`](crate::ConnectionEvent)s, and never means
    /// another session.
    pub fn session(&self) -> Option<PeerId> {
        match &self.to {
            To::Peer(session) => Some(*session),
            to => self.hub.lock().endpoint.session_of(to),
        }
    }

    /// Whether a call would find a session now. It may have ended when the call is made.
    pub fn is_connected(&self) -> bool {
        self.hub.lock().endpoint.session_of(&self.to).is_some()
    }

    /// Ends the session that would be called now; false where there is none. What follows is said at
    /// [`Node::disconnect_user`](crate::Node::disconnect_user).
    pub fn disconnect(&self) -> bool {
        self.disconnect_as(Parting::Revoked)
    }

    /// The same, and says why: to a peer that reads it, for whose calls that is then the reason.
    pub fn disconnect_as(&self, why: Parting) -> bool {
        let reason = PeerError::SentAway(why).into();
        let ended = self.hub.act(|inner, now| {
            let peer = inner.endpoint.session_of(&self.to)?;
            Some(inner.endpoint.disconnect_as(peer, reason, now))
        });
        ended.unwrap_or_default()
    }

    pub(crate) fn send(
        self,
        name: &str,
        arguments: Packed,
        options: CallOptions,
    ) -> Result<Pending, CallRefused> {
        Pending::send(&self.hub, self.to, name, arguments, options)
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Peer").field(&self.to).finish()
    }
}
