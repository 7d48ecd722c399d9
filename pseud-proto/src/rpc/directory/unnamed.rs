//! Sessions whose peers have not said yet who they are, where that is asked of them.

use crate::call::PeerId;
use std::collections::BTreeMap;
use std::num::NonZeroU64;

/// Those sessions, in order of joining. They cost memory, and nobody has vouched for them.
#[derive(Debug, Default)]
pub(crate) struct Unnamed {
    order: BTreeMap<UnnamedKey, PeerId>,
    /// How many have joined.
    joined: u64,
}

/// A place in that order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct UnnamedKey(NonZeroU64);

impl Unnamed {
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// One more. Where there are more than `max` by that, the one that is to end: the oldest. A flood of
    /// newcomers so keeps nobody out who logs in as it comes.
    pub(crate) fn join(&mut self, peer: PeerId, max: usize) -> (UnnamedKey, Option<PeerId>) {
        self.joined += 1;
        let place = UnnamedKey(NonZeroU64::new(self.joined).unwrap_or(NonZeroU64::MAX));
        self.order.insert(place, peer);
        let oldest = (self.order.len() > max).then(|| self.order.first_key_value()).flatten();
        (place, oldest.map(|(_, oldest)| *oldest))
    }

    /// It has logged in, or left.
    pub(crate) fn leave(&mut self, place: UnnamedKey) {
        self.order.remove(&place);
    }
}
