//! Which seeds a run is of.

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
