//! Socket types: what a peer says it is, and who may talk to whom (ZMTP 3.1 §the Socket-Type property).

/// The socket types that carry requests and replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SocketType {
    /// Talks to many, by identity. pseud's Server and Client.
    Router,
    /// Talks to one or many, in turn.
    Dealer,
    /// Asks, then waits. pseud's SyncClient.
    Req,
    /// Answers what it was asked.
    Rep,
}

impl SocketType {
    /// Its name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Router => "ROUTER",
            Self::Dealer => "DEALER",
            Self::Req => "REQ",
            Self::Rep => "REP",
        }
    }

    /// The type of that name; `None` for those that carry no requests (PUB, PUSH, …).
    pub(crate) fn from_wire(name: &[u8]) -> Option<Self> {
        match name {
            b"ROUTER" => Some(Self::Router),
            b"DEALER" => Some(Self::Dealer),
            b"REQ" => Some(Self::Req),
            b"REP" => Some(Self::Rep),
            _ => None,
        }
    }

    /// Whether a link between the two makes sense.
    pub(crate) fn is_compatible(self, peer: Self) -> bool {
        match self {
            Self::Router => matches!(peer, Self::Req | Self::Dealer | Self::Router),
            Self::Dealer => matches!(peer, Self::Rep | Self::Dealer | Self::Router),
            Self::Req => matches!(peer, Self::Rep | Self::Router),
            Self::Rep => matches!(peer, Self::Req | Self::Dealer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SocketType;
    use crate::auth::socket_type::SocketType::{Dealer, Rep, Req, Router};

    #[test]
    fn compatibility_is_mutual() {
        let all = [Router, Dealer, Req, Rep];
        for (ours, theirs) in all.iter().flat_map(|a| all.iter().map(move |b| (*a, *b))) {
            assert_eq!(
                ours.is_compatible(theirs),
                theirs.is_compatible(ours),
                "{ours:?} {theirs:?}"
            );
            assert_eq!(SocketType::from_wire(ours.as_str().as_bytes()), Some(ours));
        }
    }
}
