//! The entropy of one link: one seed, and a stream of it for each use.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::fmt;
use zeroize::Zeroizing;

/// What is drawn. Each has a key stream of its own, so that no two share a byte.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Draw {
    /// How far our PINGs stray from their interval.
    Jitter = 0,
    /// The secret key of this link.
    #[cfg(feature = "_curve")]
    TransientKey = 1,
    /// The long nonce of WELCOME, or of a vouch.
    #[cfg(feature = "_curve")]
    LongNonce = 2,
    /// The cookie in WELCOME.
    #[cfg(feature = "_curve")]
    Cookie = 3,
}

/// A link's seed.
pub(crate) struct Entropy(Zeroizing<[u8; 32]>);

impl Entropy {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self(Zeroizing::new(seed))
    }

    /// The bytes of that use: the same ones each time.
    pub(crate) fn draw<const N: usize>(&self, what: Draw) -> Zeroizing<[u8; N]> {
        let mut stream = ChaCha20Rng::from_seed(*self.0);
        stream.set_stream(what as u64);
        let mut bytes = Zeroizing::new([0; N]);
        stream.fill_bytes(&mut *bytes);
        bytes
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy(..)")
    }
}
