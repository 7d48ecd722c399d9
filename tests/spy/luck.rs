//! Everything that is random in a run, from one seed.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Luck, and where it came from.
#[derive(Debug, Clone)]
pub(crate) struct Luck(ChaCha8Rng);

impl Luck {
    /// From the number in `PSEUD_SEED`, or a fresh one; printed, for whoever wants to replay it.
    pub(crate) fn seeded() -> Self {
        let seed = match std::env::var("PSEUD_SEED") {
            Ok(seed) => seed.parse().expect("PSEUD_SEED is a number"),
            Err(_) => RandomState::new().hash_one(()),
        };
        eprintln!("PSEUD_SEED={seed}");
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Somebody else's luck, drawn from this one.
    pub(crate) fn fork(&mut self) -> Self {
        Self(ChaCha8Rng::seed_from_u64(self.0.next_u64()))
    }

    /// From `from` to one less than `to`.
    pub(crate) fn between(&mut self, from: usize, to: usize) -> usize {
        from + self.0.next_u64() as usize % (to - from)
    }

    /// One of those.
    pub(crate) fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.between(0, all.len())]
    }

    /// So many milliseconds.
    pub(crate) fn millis(&mut self, from: usize, to: usize) -> Duration {
        Duration::from_millis(self.between(from, to) as u64)
    }
}
