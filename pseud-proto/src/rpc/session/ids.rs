//! The ids of our calls on the wire.

use rand_chacha::rand_core::Rng;
use std::fmt;

/// An id of ours: 16 bytes in pseud's dialect, 20 in rpcudp's.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct OwnId {
    bytes: [u8; Self::MAX],
    len: u8,
}

impl OwnId {
    /// The longest id that any dialect has for a call, in bytes.
    pub(crate) const MAX: usize = 20;

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

impl fmt::Debug for OwnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Which dialect a session speaks. Its kind of ids and messages hangs on it, and nothing else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// Python pseud's: five frames, ids of 16 bytes.
    #[default]
    Pseud,
}

impl Dialect {
    /// Bytes of an id.
    fn id_bytes(self) -> usize {
        match self {
            Self::Pseud => 16,
        }
    }
}

/// Makes the ids of one session. The first four bytes are the call's slot under a mask, so an answer
/// finds its call without a search; the others differ from call to call, so that an answer to an
/// earlier call in that slot does not match.
///
/// They are not secret: whoever reads a link sees them, and an answer counts on the session alone that
/// its call was sent on. So they need no strong generator.
#[derive(Debug)]
pub(crate) struct Ids {
    mask: u32,
    state: u64,
}

/// The odd step of SplitMix64 (Steele, Lea, Flood 2014): `state` takes every value before one comes
/// again.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Ids {
    pub(crate) fn new(rng: &mut impl Rng) -> Self {
        Self { mask: rng.next_u32(), state: rng.next_u64() }
    }

    pub(crate) fn mint(&mut self, slot: u32, dialect: Dialect) -> OwnId {
        let mut drawn = self.next();
        if dialect == Dialect::Pseud {
            // RFC 9562 §5.4: version 4 in the first half of byte 6, variant 10 at the head of byte 8; this
            // begins with byte 4.
            drawn = drawn & !0xf000_c000_0000 | 0x4000_8000_0000;
        }
        let [a, b, c, d] = (slot ^ self.mask).to_be_bytes();
        let [e, f, g, h, i, j, k, l] = drawn.to_be_bytes();
        let [m, n, o, p, q, r, s, t] = self.next().to_be_bytes();
        let bytes = [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t];
        OwnId { bytes, len: dialect.id_bytes() as u8 }
    }

    /// The slot that an id names.
    pub(crate) fn slot(&self, id: &[u8]) -> Option<u32> {
        Some(u32::from_be_bytes(*id.first_chunk()?) ^ self.mask)
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(STEP);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_uuids_that_name_their_slots_and_never_come_again() {
        let mut ids = Ids::new(&mut ChaCha20Rng::from_seed([7; 32]));
        let mut seen = BTreeSet::new();
        for n in 0..20_000_u32 {
            let id = ids.mint(n % 8, Dialect::Pseud);
            let uuid = uuid::Uuid::from_slice(id.as_bytes()).unwrap();
            assert_eq!((uuid.get_version_num(), uuid.get_variant()), (4, uuid::Variant::RFC4122));
            assert_eq!(ids.slot(id.as_bytes()), Some(n % 8));
            assert!(seen.insert(id.as_bytes().to_vec()));
        }
        assert_eq!(ids.slot(b"abc"), None);
    }
}
