//! Large frames: read straight to their place, in a buffer that is never larger than they are.

use super::Decoder;
use crate::base::heap_room;
use crate::base::pieces::halved_to;
use bytes::buf::Limit;
use bytes::{BufMut, BytesMut};

/// A frame that lacks this much or more is worth a read of its own, straight to its place.
pub(crate) const LARGE_MIN: usize = 16 * 1024;
/// What a large frame is given at most at first: a body of 64 KiB with all that is around it.
pub(crate) const LARGE_RESERVE: usize = 65 * 1024;
/// So much of a large frame has to be there before its buffer is: ten bytes get none.
const CAME_MIN: usize = 4 * 1024;

impl Decoder {
    /// While a large frame is partial: the place for its next bytes, and for no others.
    pub(crate) fn large(&mut self) -> Option<Limit<&mut BytesMut>> {
        let came = self.pending.len();
        let end = self.frame_end(self.header?);
        let missing = end.checked_sub(came)?;
        if missing < LARGE_MIN {
            return None;
        }
        self.grow(end);
        Some((&mut self.pending).limit(missing))
    }

    /// Whether a frame's head is known, and not all of the frame.
    pub(crate) fn is_within_frame(&self) -> bool {
        self.header.is_some()
    }

    /// Makes room for the large frame that ends at `end`, where so many bytes of it are at hand: they are
    /// then not moved again.
    pub(crate) fn reserve_for(&mut self, at_hand: usize, end: usize) {
        let missing = end.saturating_sub(self.pending.len());
        if missing >= LARGE_MIN && at_hand >= CAME_MIN {
            self.grow(end);
        }
    }

    /// Grows a buffer that is nearly full. Its sizes double, as those of a `Vec` do, and the last one is
    /// the frame's: so the first is as many halves of that as bring it under [`LARGE_RESERVE`].
    fn grow(&mut self, end: usize) {
        let (came, capacity) = (self.pending.len(), self.pending.capacity());
        if capacity.saturating_sub(came) >= LARGE_MIN / 2 || capacity >= end {
            return;
        }
        let mut size = halved_to(end, LARGE_RESERVE);
        while size <= capacity {
            size = size.saturating_mul(2);
        }
        heap_room::expect(size);
        self.pending.reserve(size.saturating_sub(came));
    }
}
