//! One conversation under many seeds.

use super::{Conditions, Sim};
use std::future::Future;

/// Under how many seeds a conversation runs, unless `PSEUD_SEEDS` says otherwise.
const SEEDS: u64 = 20;

/// The seeds of a run: so many, or as many as `PSEUD_SEEDS` says; that of `PSEUD_SEED` alone, where one is
/// to be lived again.
pub fn seeds(default: u64) -> std::ops::Range<u64> {
    let number = |name: &str| {
        let text = std::env::var(name).ok()?;
        Some(text.parse::<u64>().unwrap_or_else(|_| panic!("{name} is a number")))
    };
    match number("PSEUD_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("PSEUD_SEEDS").unwrap_or(default),
    }
}

/// Runs a conversation in a world of its own under each seed: without any weather under the first, in wind
/// under the others. No link is lost in it but by what the conversation does.
pub fn in_all_weathers<F: Future<Output = ()>>(conversation: impl Fn() -> F) {
    for seed in seeds(SEEDS) {
        let conditions = if seed == 0 { Conditions::calm() } else { Conditions::windy() };
        let mut sim = Sim::new(seed, conditions);
        sim.run(conversation());
    }
}
