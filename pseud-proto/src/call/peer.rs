//! Who is behind a link, and what may be sent to it.

#[cfg(feature = "_curve")]
use crate::auth::keys::key::PublicKey;
use crate::auth::mechanism_name::MechanismName;
use crate::auth::socket_type::SocketType;
use crate::auth::user::User;
use crate::base::side::Side;
use crate::call::late_guard::LateGuard;
use crate::call::profile::Profile;
use crate::call::siblings::Siblings;
use bytes::Bytes;
use smol_str::SmolStr;

/// Who is behind a link, as the link's driver says it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerInfo {
    /// Its identity: the identity that it announced, or one made here for one that announced
    /// none (a zero byte and 16 random ones).
    pub identity: Bytes,
    /// Who authentication says it is.
    pub user: User,
    /// The key that it has proven, as a client of CURVE whose server we are.
    #[cfg(feature = "_curve")]
    pub client_key: Option<Box<PublicKey>>,
    /// Where it connects from, as text; empty if unknown. For logs.
    pub address: SmolStr,
    /// The type of its ZeroMQ socket.
    pub socket_type: SocketType,
    /// The mechanism of its link.
    pub mechanism: MechanismName,
    /// Whether we opened the link.
    pub dialed: bool,
    /// What may be sent to it: what it declared in this link's handshake.
    pub profile: Profile,
    /// Which of its node's links this is, and which others of it there are: what it declared there.
    pub siblings: Siblings,
    /// Until when requests of this link may be answered. Its driver may say so, else it is
    /// [`Config::late_guard`](crate::Config): known once there is a session. Off where the peer
    /// [needs none](Self::has_late_guard).
    pub late_guard: Option<LateGuard>,
}

impl PeerInfo {
    /// A ROUTER peer of that identity (it may be empty), under NULL, profile `V1`.
    pub fn new(identity: Bytes) -> Self {
        Self {
            identity,
            user: User::default(),
            #[cfg(feature = "_curve")]
            client_key: None,
            address: SmolStr::default(),
            socket_type: SocketType::Router,
            mechanism: MechanismName::Null,
            dialed: false,
            profile: Profile::V1,
            siblings: Siblings::default(),
            late_guard: None,
        }
    }

    /// Whether an answer that comes too late may end its reader. Not that of a REQ: its socket drops
    /// what it no longer waits for, so Python's `SyncClient` gets late answers.
    pub fn has_late_guard(&self) -> bool {
        self.profile.has_late_guard() && self.socket_type != SocketType::Req
    }

    /// Whether it is told why its session is ended (GOAWAY): what had left then may be answered late, so its
    /// reader must survive that.
    pub fn reads_goaway(&self) -> bool {
        self.profile.reads_goaway() && !self.has_late_guard()
    }

    /// Whether it can be called. A REQ cannot: its socket takes whatever comes for the answer that it
    /// waits for, or drops it (RFC 28 §REQ).
    pub fn takes_calls(&self) -> bool {
        self.socket_type != SocketType::Req
    }

    /// The same, authenticated as that user.
    #[must_use]
    pub fn with_user(mut self, user: impl Into<User>) -> Self {
        self.user = user.into();
        self
    }

    /// The same, connecting from that address.
    #[must_use]
    pub fn with_address(mut self, address: impl Into<SmolStr>) -> Self {
        self.address = address.into();
        self
    }

    /// The same, over a link that we opened or accepted.
    #[must_use]
    pub fn with_side(mut self, side: Side) -> Self {
        self.dialed = side == Side::Connecting;
        self
    }

    /// The same, with that type of socket.
    #[must_use]
    pub fn with_socket_type(mut self, socket_type: SocketType) -> Self {
        self.socket_type = socket_type;
        self
    }

    /// The same, understanding that.
    #[must_use]
    pub fn with_profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// The same, declaring that of its link.
    #[must_use]
    pub fn with_siblings(mut self, siblings: Siblings) -> Self {
        self.siblings = siblings;
        self
    }

    /// The same, its requests to be answered until then.
    #[must_use]
    pub fn with_late_guard(mut self, guard: Option<LateGuard>) -> Self {
        self.late_guard = guard;
        self
    }
}
