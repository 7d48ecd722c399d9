//! Somebody to call.

use super::Call;
use crate::call::route::Route;
use crate::call::service::Service;
use crate::engine::hub::Hub;
use crate::engine::seat::Seat;
use pseud_proto::peer::PeerInfo;
use pseud_proto::{Parting, PeerError, PeerId, Several, To};
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
pub struct Peer(Arc<Route>);

impl Peer {
    pub(crate) fn new(hub: Arc<Hub>, to: To) -> Self {
        Self(Route::new(hub, to))
    }

    pub(crate) fn of_session(seat: Arc<Seat>, info: Arc<PeerInfo>) -> Self {
        Self(Route::to_session(seat, info))
    }

    /// A handle to a session that was there.
    pub(crate) fn once(hub: &Arc<Hub>, session: PeerId, info: Arc<PeerInfo>) -> Self {
        let seat = hub.lock().seat(session);
        Self(Route::to_past_session(hub.clone(), session, seat, info))
    }

    /// Handles to those sessions.
    pub(crate) fn all(present: Vec<(Arc<Seat>, Arc<PeerInfo>)>) -> Vec<Self> {
        present.into_iter().map(|(seat, info)| Self::of_session(seat, info)).collect()
    }

    /// Whom it means.
    pub(crate) fn route(&self) -> &Arc<Route> {
        &self.0
    }

    /// Calls this peer. `args` is a tuple: `("Charly",)`, `()`. See [`Call`].
    pub fn call<T, A: Serialize>(&self, name: impl AsRef<str>, args: A) -> Call<T, A> {
        Call::new(self.0.clone(), SmolStr::new(name), args)
    }

    /// A service of this peer. See [`Service`].
    pub fn service(&self, name: impl AsRef<str>) -> Service {
        Service::new(self.0.clone(), name.as_ref())
    }

    /// The same user, but calls are refused
    /// ([`CallRefused::SeveralSessions`](pseud_proto::CallRefused)) while it has several sessions.
    /// Whoever is no user has one at most.
    #[must_use]
    pub fn require_single_session(self) -> Self {
        let mut to = self.0.to.clone();
        match &mut to {
            To::User { several, .. } | To::Known { several, .. } => *several = Several::Refuse,
            _ => return self,
        }
        Self::new(self.0.hub.clone(), to)
    }

    /// Who is behind the session that it means, also after that has ended. Of a user or an identity: who
    /// would be called now; `None` where nobody would, or nobody alone.
    pub fn info(&self) -> Option<Arc<PeerInfo>> {
        if let Some(info) = self.0.info() {
            return Some(info.clone());
        }
        let inner = self.0.hub.lock();
        let peer = inner.directory.session_of(&self.0.to)?;
        inner.directory.peer_info(peer).cloned()
    }

    /// The session that it means, also after that has ended; of a user or an identity the one that would
    /// be called now. It is the same in [`ConnectionEvent`](crate::ConnectionEvent)s, and never means
    /// another session.
    pub fn session(&self) -> Option<PeerId> {
        match &self.0.to {
            To::Peer(session) => Some(*session),
            _ => self.0.session(),
        }
    }

    /// Whether a call would find a session now. It may have ended when the call is made.
    pub fn is_connected(&self) -> bool {
        self.0.session().is_some()
    }

    /// Ends the session that would be called now; false where there is none. What follows is said at
    /// [`Node::disconnect_user`](crate::Node::disconnect_user).
    pub fn disconnect(&self) -> bool {
        self.disconnect_as(Parting::Revoked)
    }

    /// The same, and says why: to a peer that reads it, for whose calls that is then the reason.
    pub fn disconnect_as(&self, why: Parting) -> bool {
        self.0.hub.disconnect(&self.0.to, PeerError::SentAway(why).into())
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Peer").field(&self.0).finish()
    }
}
