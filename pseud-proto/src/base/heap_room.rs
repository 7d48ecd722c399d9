//! Room that the allocator keeps for large bodies, which come and go with each call.
//!
//! glibc gives the free end of its heap back to the system once that is over `M_TRIM_THRESHOLD`: 128 KiB at first,
//! and twice the largest mapping that was ever freed from then on (mallopt(3), `M_MMAP_THRESHOLD`). What lies in a
//! heap that grew never was a mapping, so the bodies of each call would be taken anew, page by page: a call of
//! 1 MiB took four times as long. Other allocators, and whoever set those thresholds, notice nothing.

use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Smaller ones lie within what glibc keeps in any case.
const LARGE_MIN: usize = 16 << 10;
/// A body, at both ends of its way: as it came, decoded, encoded again; and of several calls.
const BODIES: usize = 16;
/// Twice that is the most that is kept, of each arena: of each thread, where there are not many. It is as if one body
/// of that size had been freed once.
const ROOM_MAX: usize = 2 << 20;

/// What room was asked for.
static ASKED: AtomicUsize = AtomicUsize::new(0);

/// A body of that size is about to get its memory.
#[inline]
pub(crate) fn expect(size: usize) {
    if size >= LARGE_MIN {
        ask(size.saturating_mul(BODIES).min(ROOM_MAX));
    }
}

#[inline(never)]
fn ask(room: usize) {
    if ASKED.load(Ordering::Relaxed) < room {
        ASKED.fetch_max(room, Ordering::Relaxed);
        let mut shown = Vec::<u8>::new();
        // No page of it is touched; where there is no such room, nothing is shown.
        let _ = shown.try_reserve_exact(room);
        drop(black_box(shown));
    }
}
