//! Who is behind a link, and what may be sent to it.

use crate::profile::Profile;
use crate::user::User;
use crate::zmtp::{MechanismName, Ready, Side, SocketType};
use bytes::Bytes;

/// Who is behind a link, as the link's driver says it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerInfo {
    /// Its routing id: the identity that it announced, or one made here for one that announced
    /// none (a zero byte and 16 random ones).
    pub identity: Bytes,
    /// Who authentication says it is.
    pub user: User,
    /// Where it connects from, as text; empty if unknown. For logs.
    pub address: String,
    /// The type of its ZeroMQ socket.
    pub socket_type: SocketType,
    /// The mechanism of its link.
    pub mechanism: MechanismName,
    /// Whether we opened the link.
    pub dialed: bool,
    /// What may be sent to it: what it declared in this link's handshake.
    pub profile: Profile,
}

impl PeerInfo {
    /// Whoever a handshake has shown to be there, over a link that we opened or accepted.
    pub fn behind(ready: Ready, side: Side, address: impl Into<String>) -> Self {
        Self {
            profile: Profile::of(&ready.properties),
            identity: ready.identity,
            user: ready.user,
            address: address.into(),
            socket_type: ready.socket_type,
            mechanism: ready.mechanism,
            dialed: side == Side::Connecting,
        }
    }

    /// A ROUTER peer of that identity (it may be empty), under NULL, profile `V1`.
    pub fn new(identity: Bytes) -> Self {
        Self {
            identity,
            user: User::default(),
            address: String::new(),
            socket_type: SocketType::Router,
            mechanism: MechanismName::Null,
            dialed: false,
            profile: Profile::V1,
        }
    }

    /// The same, authenticated as that user.
    #[must_use]
    pub fn with_user(mut self, user: impl Into<User>) -> Self {
        self.user = user.into();
        self
    }

    /// The same, connecting from that address.
    #[must_use]
    pub fn with_address(mut self, address: impl Into<String>) -> Self {
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
}
