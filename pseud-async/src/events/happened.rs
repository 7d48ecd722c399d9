//! An event before it is told, and its line for operators.

use crate::hub::Hub;
use pseud_proto::peer::PeerInfo;
use pseud_proto::{PeerError, PeerId, Reason};
use std::sync::Arc;

/// An event as the hub keeps it: it owns no handle, which would own the hub.
#[derive(Debug, Clone)]
pub(crate) enum Happened {
    Connecting { endpoint: String },
    Failed { endpoint: String, error: String },
    Refused { address: String, error: PeerError, more: u64 },
    Ready { session: PeerId, info: Arc<PeerInfo> },
    Lost { session: PeerId, info: Arc<PeerInfo>, reason: Reason },
}

impl Happened {
    /// For operators. Whoever listens to logs is a user's: never under a lock.
    pub(crate) fn log(&self, hub: &Hub) {
        match self {
            Self::Ready { info, .. } => {
                let PeerInfo { identity, address, user, .. } = &**info;
                warn_of_another(hub, info);
                if hub.logs_session() {
                    let user = (!user.is_anonymous()).then(|| tracing::field::display(user));
                    tracing::info!(identity = %shown(identity), %address, user, "peer ready");
                }
            }
            Self::Lost { info, reason, .. } if hub.logs_session() => {
                let PeerInfo { identity, address, user, .. } = &**info;
                let user = (!user.is_anonymous()).then(|| tracing::field::display(user));
                tracing::info!(identity = %shown(identity), %address, user, %reason, "peer left");
            }
            Self::Lost { .. }
            | Self::Connecting { .. }
            | Self::Failed { .. }
            | Self::Refused { .. } => {}
        }
    }
}

/// Calls to the server would wait for it in vain, and say so only when their time is up.
fn warn_of_another(hub: &Hub, info: &PeerInfo) {
    let server = hub.config.server.as_ref().filter(|_| info.dialed);
    if let Some(server) = server.filter(|server| **server != info.identity) {
        let (name, expected) = (shown(&info.identity), shown(server));
        tracing::warn!(address = %info.address, "connected to `{name}`, expected `{expected}`");
    }
}

/// A routing id for logs. One that was made here, for a peer that announced none, is only good to
/// recognise it by.
pub(crate) fn shown(identity: &[u8]) -> String {
    match identity {
        [0, a, b, c, d, ..] => format!("anonymous-{a:02x}{b:02x}{c:02x}{d:02x}"),
        named => named.escape_ascii().to_string(),
    }
}
