//! What is kept of calls of ours until their peer knows who we are.

use crate::auth::mechanism_name::MechanismName;
use crate::base::pieces::Pieces;
use crate::base::slab::Key;
use crate::call::peer::PeerInfo;
use crate::dialect::WireId;
use crate::error::Reason;
use crate::rpc::config::Config;
use std::collections::BTreeMap;

/// What is kept of calls until their peer has accepted one, so that they can be sent again.
#[derive(Debug, Default)]
pub(crate) struct Showing {
    /// By their slots.
    pub(super) kept: BTreeMap<u32, Kept>,
    pub(super) bytes: usize,
    /// The HELLO that is not answered yet.
    pub(super) hello: Option<WireId>,
    /// HELLOs so far.
    pub(super) shown: u8,
    /// Why the last of them was refused: the session ends for that, once the calls that were sent have.
    pub(super) refused: Option<Reason>,
    /// The peer has run a call before it said anything of our HELLO: nothing is kept any more.
    pub(super) is_accepted: bool,
}

#[derive(Debug)]
pub(crate) struct Kept {
    pub(super) call: Key,
    pub(super) message: Pieces,
    pub(super) cost: usize,
    /// It was not run: its peer wants to know first who we are.
    pub(super) is_challenged: bool,
}

impl Showing {
    /// For a session in which something may be shown: that of a server whose key is pinned, under CURVE,
    /// or any where that was allowed.
    pub(super) fn of(config: &Config, info: &PeerInfo) -> Option<Box<Self>> {
        let credentials = config.credentials.as_ref()?;
        let may_show = credentials.allow_plaintext || is_pinned_server(info);
        may_show.then(Box::default)
    }

    pub(super) fn forget(&mut self, call: Key) -> Option<Kept> {
        let kept = self.kept.get(&call.index).filter(|kept| kept.call == call)?;
        self.bytes -= kept.cost;
        self.kept.remove(&call.index)
    }

    pub(super) fn is_challenged(&self, call: Key) -> bool {
        let kept = self.kept.get(&call.index).filter(|kept| kept.call == call);
        kept.is_some_and(|kept| kept.is_challenged)
    }

    pub(super) fn challenged(&self) -> Vec<Key> {
        let challenged = self.kept.values().filter(|kept| kept.is_challenged);
        challenged.map(|kept| kept.call).collect()
    }
}

/// A peer that proved a key of ours as the client is no server.
fn is_pinned_server(info: &PeerInfo) -> bool {
    match info.mechanism {
        #[cfg(feature = "_curve")]
        MechanismName::Curve => info.client_key.is_none(),
        MechanismName::Null | MechanismName::Plain => false,
        #[cfg(feature = "kaa")]
        MechanismName::Kaa => false,
    }
}
