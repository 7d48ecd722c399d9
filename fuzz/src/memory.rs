//! Memory is paid for by input.

/// What any input may cost.
const BASE: u64 = 1 << 20;
/// What a byte of input may cost: 16 bytes, and a value of 48 bytes made of it.
const BYTES_PER_BYTE: u64 = 64;

/// Runs `body`, and panics where it held more than `input` bytes may cost at any moment.
pub(crate) fn bounded(input: usize, body: impl FnOnce()) {
    paid(|| {
        body();
        input
    });
}

/// The same for a body that says afterwards how many bytes it was handed.
pub(crate) fn paid(body: impl FnOnce() -> usize) {
    let mut input = 0;
    let held = allocation_counter::measure(|| input = body()).bytes_max;
    let max = BASE + BYTES_PER_BYTE * input as u64;
    assert!(held <= max, "{held} bytes were held for {input} bytes of input");
}
