//! Everything that is random in a run, from one seed.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Luck, and where it came from.
#[derive(Debug, Clone)]
pub struct Luck(ChaCha8Rng);

impl Luck {
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// From the number in `PSEUD_SEED`, or a fresh one; printed, for whoever wants to replay it.
    pub fn seeded() -> Self {
        let seed = match std::env::var("PSEUD_SEED") {
            Ok(seed) => seed.parse().expect("PSEUD_SEED is a number"),
            Err(_) => RandomState::new().hash_one(()),
        };
        eprintln!("PSEUD_SEED={seed}");
        Self::new(seed)
    }

    /// Somebody else's luck, drawn from this one.
    pub fn fork(&mut self) -> Self {
        Self::new(self.0.next_u64())
    }

    /// From `from` to one less than `to`.
    pub fn between(&mut self, from: usize, to: usize) -> usize {
        from + self.0.next_u64() as usize % (to - from)
    }

    /// One of those.
    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.between(0, all.len())]
    }

    /// 32 bytes.
    pub fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        self.0.fill_bytes(&mut seed);
        seed
    }

    /// So many milliseconds.
    pub fn millis(&mut self, from: usize, to: usize) -> Duration {
        Duration::from_millis(self.between(from, to) as u64)
    }
}
