//! What happens to links, for watchers and for logs.

use pseud_proto::peer::PeerInfo;
use pseud_proto::{PeerError, PeerId, Reason, User};
use std::sync::Arc;

/// Something that happened to a link. Of a session that began it has a `P`: as [`ConnectionEvent`](crate::ConnectionEvent) a handle to
/// call it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum LinkEvent<P> {
    /// We are about to connect.
    Connecting {
        /// Where to.
        endpoint: String,
    },
    /// There is no connection to be had there now; it is tried again.
    ConnectFailed {
        /// Where to.
        endpoint: String,
        /// The operating system's words.
        error: String,
    },
    /// The handshake failed: one of the two refused the other, or the peer does not speak ZMTP. Of those
    /// who come to us 128 a minute are told one by one, the others by their number: they cannot drive out
    /// what is told of sessions.
    HandshakeFailed {
        /// Where the peer is.
        address: String,
        /// Why.
        error: PeerError,
        /// How many more there were since the last such event, of which nothing else is told.
        more: u64,
    },
    /// A session began.
    Connected {
        /// A handle to call exactly this session. What [it says of it](crate::Peer::info) stays.
        peer: P,
        /// The session. It never means another one.
        session: PeerId,
        /// Who authentication says it is.
        user: User,
        /// Its identity.
        identity: Vec<u8>,
        /// Where it is.
        address: String,
    },
    /// A session of nobody's has logged in, on this side's server: from now on it is that user's. It was
    /// `Connected` before.
    LoggedIn {
        /// A handle to call exactly this session.
        peer: P,
        /// The session.
        session: PeerId,
        /// Who it is now.
        user: User,
        /// Its routing id.
        identity: Vec<u8>,
        /// Where it is.
        address: String,
    },
    /// That peer wants to know who we are before it runs a call of ours: the call is kept, and goes again once
    /// the peer [believes us](crate::Options::credentials), unless
    /// [`AuthBackend::save_last_work`](crate::AuthBackend::save_last_work) says otherwise.
    Challenged {
        /// A handle to call exactly this session.
        peer: P,
        /// The session.
        session: PeerId,
    },
    /// That peer believes who we are: what it has challenged is sent again, once.
    Authenticated {
        /// A handle to call exactly this session.
        peer: P,
        /// The session.
        session: PeerId,
    },
    /// A session ended. It was `Connected` before, once.
    Disconnected {
        /// The session.
        session: PeerId,
        /// Who it was.
        user: User,
        /// Its identity.
        identity: Vec<u8>,
        /// Where it was.
        address: String,
        /// Why.
        reason: Reason,
    },
    /// The watcher was too slow: that many events before this one are missing.
    /// [`Events::resync`](crate::Events::resync) says what is there now.
    Lagged(u64),
}

/// An event as the engine keeps it: it owns no handle, which would own the engine.
pub(crate) type KeptEvent = LinkEvent<Arc<PeerInfo>>;

impl KeptEvent {
    /// A session began.
    pub(crate) fn ready(session: PeerId, info: Arc<PeerInfo>) -> Self {
        let (user, identity) = (info.user.clone(), info.identity.to_vec());
        let address = info.address.to_string();
        Self::Connected { peer: info, session, user, identity, address }
    }

    /// A session has logged in.
    pub(crate) fn logged_in(session: PeerId, info: Arc<PeerInfo>) -> Self {
        let (user, identity) = (info.user.clone(), info.identity.to_vec());
        let address = info.address.to_string();
        Self::LoggedIn { peer: info, session, user, identity, address }
    }

    /// A session ended.
    pub(crate) fn lost(session: PeerId, info: &PeerInfo, reason: Reason) -> Self {
        let (user, identity) = (info.user.clone(), info.identity.to_vec());
        Self::Disconnected { session, user, identity, address: info.address.to_string(), reason }
    }

    /// The same with a handle to call the session by.
    pub(crate) fn with_handle<P>(
        self,
        handle: impl FnOnce(PeerId, Arc<PeerInfo>) -> P,
    ) -> LinkEvent<P> {
        match self {
            Self::Connecting { endpoint } => LinkEvent::Connecting { endpoint },
            Self::ConnectFailed { endpoint, error } => LinkEvent::ConnectFailed { endpoint, error },
            Self::HandshakeFailed { address, error, more } => {
                LinkEvent::HandshakeFailed { address, error, more }
            }
            Self::Connected { peer, session, user, identity, address } => {
                let peer = handle(session, peer);
                LinkEvent::Connected { peer, session, user, identity, address }
            }
            Self::LoggedIn { peer, session, user, identity, address } => {
                let peer = handle(session, peer);
                LinkEvent::LoggedIn { peer, session, user, identity, address }
            }
            Self::Challenged { peer, session } => {
                LinkEvent::Challenged { peer: handle(session, peer), session }
            }
            Self::Authenticated { peer, session } => {
                LinkEvent::Authenticated { peer: handle(session, peer), session }
            }
            Self::Disconnected { session, user, identity, address, reason } => {
                LinkEvent::Disconnected { session, user, identity, address, reason }
            }
            Self::Lagged(lost) => LinkEvent::Lagged(lost),
        }
    }
}

/// An identity for logs. One that was made here, for a peer that announced none, is only good to
/// recognise it by.
pub(crate) fn shown(identity: &[u8]) -> String {
    match identity {
        [0, a, b, c, d, ..] => format!("anonymous-{a:02x}{b:02x}{c:02x}{d:02x}"),
        named => named.escape_ascii().to_string(),
    }
}
