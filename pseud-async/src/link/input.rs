//! What a link has read and not looked at yet.

use std::cell::Cell;
use std::ops::Range;

/// How much is read at once. No more, since the rest of a large frame is read to its own place: what
/// is copied first is its front alone.
const SCRATCH_BYTES: usize = 16 << 10;

thread_local! {
    /// What is read into and parsed in. Shared by all links of a thread, so an idle link holds no
    /// buffer; one whose turn ends before all is parsed keeps the rest as a copy.
    static SCRATCH: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

/// The thread's buffer, for one turn. It is taken out of its place: a handler that drives another link
/// within its own turn finds none there, and makes one.
#[derive(Debug)]
pub(super) struct TurnBuffer {
    buffer: Box<[u8]>,
    rest: Range<usize>,
}

impl TurnBuffer {
    /// With what was kept of the last turn.
    pub(super) fn begin(kept: &mut Option<Box<[u8]>>) -> Self {
        let buffer = SCRATCH.take().unwrap_or_else(|| vec![0; SCRATCH_BYTES].into());
        let mut this = Self { buffer, rest: 0..0 };
        if let Some(kept) = kept.take() {
            this.buffer[..kept.len()].copy_from_slice(&kept);
            this.rest = 0..kept.len();
        }
        this
    }

    /// What is left is kept for the next turn.
    pub(super) fn end(mut self) -> Option<Box<[u8]>> {
        let rest = std::mem::take(&mut self.rest);
        (!rest.is_empty()).then(|| self.buffer[rest].into())
    }

    /// Where to read to: nothing is left that would be lost.
    pub(super) fn buffer(&mut self) -> &mut [u8] {
        &mut self.buffer
    }

    /// So much was read.
    pub(super) fn filled(&mut self, count: usize) {
        self.rest = 0..count;
    }

    /// What has yet to be looked at.
    pub(super) fn rest(&mut self) -> &mut [u8] {
        &mut self.buffer[self.rest.clone()]
    }

    /// So much of that was taken.
    pub(super) fn took(&mut self, count: usize) {
        self.rest.start += count;
    }
}

impl Drop for TurnBuffer {
    fn drop(&mut self) {
        SCRATCH.set(Some(std::mem::take(&mut self.buffer)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_turn_leaves_is_there_in_the_next() {
        let mut input = TurnBuffer::begin(&mut None);
        input.buffer()[..5].copy_from_slice(b"abcde");
        input.filled(5);
        input.took(2);
        let mut within = TurnBuffer::begin(&mut None);
        within.buffer().fill(0);
        drop(within);
        let mut kept = input.end();
        assert_eq!(kept.as_deref(), Some(&b"cde"[..]));
        let mut input = TurnBuffer::begin(&mut kept);
        assert_eq!((input.rest(), kept), (&mut b"cde".to_vec()[..], None));
        input.took(3);
        assert_eq!(input.end(), None);
    }
}
