//! What is kept of calls of ours until their peer knows who we are.

use crate::auth::mechanism_name::MechanismName;
use crate::base::slab::Key;
use crate::call::peer::PeerInfo;
use crate::call::wire_id::WireId;
use crate::error::Reason;
use crate::rpc::config::Config;
use crate::rpc::session::entry::Outbound;
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
    /// Nothing more is kept: the peer has run a call before it said anything of our HELLO, or it believes us and
    /// what is left waits for who decides of it.
    pub(super) is_accepted: bool,
}

#[derive(Debug)]
pub(crate) struct Kept {
    pub(super) call: Key,
    pub(super) work: Outbound,
    pub(super) cost: usize,
    pub(super) challenged: Challenged,
}

/// Whether a call was not run since its peer wants to know first who we are, and is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Challenged {
    No,
    /// Whoever drives us decides of it.
    Undecided,
    Yes,
}

impl Showing {
    /// For a session in which something may be shown, at least once: that of a server whose key is pinned, under
    /// CURVE, or any where that was allowed.
    pub(super) fn of(config: &Config, info: &PeerInfo) -> Option<Box<Self>> {
        let credentials = config.credentials.as_ref()?;
        let may_show = credentials.allow_plaintext || is_pinned_server(info);
        (may_show && config.limits.logins_shown_max > 0).then(Box::default)
    }

    pub(super) fn forget(&mut self, call: Key) -> Option<Kept> {
        let kept = self.kept.get(&call.index).filter(|kept| kept.call == call)?;
        self.bytes -= kept.cost;
        self.kept.remove(&call.index)
    }

    pub(super) fn kept(&mut self, call: Key) -> Option<&mut Kept> {
        self.kept.get_mut(&call.index).filter(|kept| kept.call == call)
    }

    pub(super) fn is_challenged(&self, call: Key) -> bool {
        let kept = self.kept.get(&call.index).filter(|kept| kept.call == call);
        kept.is_some_and(|kept| kept.challenged != Challenged::No)
    }

    /// What of that call is to be decided of.
    pub(super) fn undecided(&self, call: Key) -> Option<&Outbound> {
        let kept = self.kept.get(&call.index).filter(|kept| kept.call == call)?;
        (kept.challenged == Challenged::Undecided).then_some(&kept.work)
    }

    pub(super) fn challenged(&self) -> Vec<Key> {
        self.those(|challenged| challenged != Challenged::No)
    }

    pub(super) fn those(&self, are: impl Fn(Challenged) -> bool) -> Vec<Key> {
        let those = self.kept.values().filter(|kept| are(kept.challenged));
        those.map(|kept| kept.call).collect()
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
