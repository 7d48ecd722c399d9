//! Who is behind a link of ZMTP.

use crate::base::side::Side;
use crate::call::peer::PeerInfo;
use crate::call::profile::Profile;
use crate::wire::zmtp::Ready;
use smol_str::SmolStr;

impl PeerInfo {
    /// Whoever a handshake has shown to be there, over a link that we opened or accepted.
    #[expect(clippy::boxed_local, reason = "a handshake's event brings it in its box")]
    pub fn behind(ready: Box<Ready>, side: Side, address: impl Into<SmolStr>) -> Self {
        let (profile, siblings) = Profile::with_siblings(&ready.properties);
        Self {
            profile,
            siblings,
            late_guard: None,
            identity: ready.identity,
            user: ready.user,
            #[cfg(feature = "_curve")]
            client_key: ready.client_key.map(Box::new),
            address: address.into(),
            socket_type: ready.socket_type,
            mechanism: ready.mechanism,
            dialed: side == Side::Connecting,
        }
    }
}
