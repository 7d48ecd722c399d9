//! What happened to a link, before watchers are told.

use pseud_proto::peer::PeerInfo;
use pseud_proto::{PeerError, PeerId, Reason};
use std::sync::Arc;

/// An event as the engine keeps it: it owns no handle, which would own the engine.
#[derive(Debug, Clone)]
pub(crate) enum Happened {
    Connecting { endpoint: String },
    Failed { endpoint: String, error: String },
    Refused { address: String, error: PeerError, more: u64 },
    Ready { session: PeerId, info: Arc<PeerInfo> },
    Lost { session: PeerId, info: Arc<PeerInfo>, reason: Reason },
}

/// A routing id for logs. One that was made here, for a peer that announced none, is only good to
/// recognise it by.
pub(crate) fn shown(identity: &[u8]) -> String {
    match identity {
        [0, a, b, c, d, ..] => format!("anonymous-{a:02x}{b:02x}{c:02x}{d:02x}"),
        named => named.escape_ascii().to_string(),
    }
}
