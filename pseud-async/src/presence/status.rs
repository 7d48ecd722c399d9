//! One peer as it is now.

use crate::call::peer::Peer;
use crate::engine::listing::Listed;
use bytes::Bytes;
use pseud_proto::peer::PeerInfo;
use pseud_proto::zmtp::MechanismName;
use pseud_proto::{Capabilities, PeerId, User};
use std::sync::Arc;
use std::time::Instant;

/// One session as it was when it was listed. See [`Node::peers`](crate::Node::peers).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PeerStatus {
    /// A handle to exactly this session.
    pub peer: Peer,
    /// The session; its text names it until its node ends.
    pub session: PeerId,
    /// Who is behind it: what its handshake, and authentication, said.
    pub info: Arc<PeerInfo>,
    /// When it began.
    pub since: Instant,
    /// When a byte last came from it; before that, when its session began. Any byte is a sign of life.
    pub last_heard: Instant,
    /// When it last sent a message; before its first, when its session began. PINGs and
    /// their answers are none.
    pub last_message: Instant,
    /// Calls of ours that wait for its answer.
    pub calls_pending: usize,
    /// Calls of its that are served here.
    pub requests_open: usize,
    /// Bytes that came over its link, the handshake's among them.
    pub bytes_received: u64,
    /// Bytes that went over its link.
    pub bytes_sent: u64,
}

impl PeerStatus {
    pub(crate) fn new(listed: Listed) -> Self {
        let Listed { seat, info, since, last_heard, last_message, .. } = listed;
        Self {
            session: seat.peer,
            peer: Peer::of_session(seat, info.clone()),
            info,
            since,
            last_heard,
            last_message,
            calls_pending: listed.calls_pending,
            requests_open: listed.requests_open,
            bytes_received: listed.bytes_received,
            bytes_sent: listed.bytes_sent,
        }
    }

    /// Who authentication says it is.
    pub fn user(&self) -> &User {
        &self.info.user
    }

    /// The identity that it announced, or was given.
    pub fn identity(&self) -> &Bytes {
        &self.info.identity
    }

    /// Where it is, as text.
    pub fn address(&self) -> &str {
        &self.info.address
    }

    /// The mechanism of its link.
    pub fn mechanism(&self) -> MechanismName {
        self.info.mechanism
    }

    /// What it declared that it understands.
    pub fn capabilities(&self) -> Capabilities {
        self.info.profile.capabilities()
    }
}
