//! What a link has read and not looked at yet.

use std::cell::Cell;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use zeroize::Zeroize;

/// How much is read at once: some dozens of messages of 1 KiB for one system call. No more, since the rest of a
/// large frame is read to its own place: what is copied first is its front alone.
const SCRATCH_BYTES: usize = 64 << 10;

thread_local! {
    /// What is read into and parsed in. Shared by all links of a thread, so an idle link holds no
    /// buffer; one whose turn ends before all is parsed keeps the rest as a copy.
    static SCRATCH: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

/// What is left of a turn's input goes with its buffer where it is more than this; the thread then makes
/// another one.
const COPIED_MAX: usize = 4 << 10;

/// Over this, what all links have left of their turns, each reads no more at once than it leaves as a copy: peers that
/// send more than is looked at make no more memory grow.
const KEPT_MAX: usize = 16 << 20;

/// Memory of what links have left of their turns.
static KEPT: AtomicUsize = AtomicUsize::new(0);

/// The thread's buffer, for one turn. It is taken out of its place: a handler that drives another link
/// within its own turn finds none there, and makes one.
#[derive(Debug)]
pub(super) struct TurnBuffer {
    buffer: Box<[u8]>,
    rest: Range<usize>,
    /// What was looked at may be a password: it is wiped.
    wipes: bool,
}

/// What a turn has left: a copy of that, or the thread's buffer with it.
#[derive(Debug)]
pub(super) struct KeptInput {
    buffer: Box<[u8]>,
    rest: Range<u32>,
    /// Bytes of it in [`KEPT`].
    counted: u32,
    /// As of its turn's buffer: a link may end before its next one.
    wipes: bool,
}

impl KeptInput {
    fn new(buffer: Box<[u8]>, rest: Range<u32>, wipes: bool) -> Self {
        KEPT.fetch_add(buffer.len(), Ordering::Relaxed);
        Self { counted: buffer.len() as u32, buffer, rest, wipes }
    }
}

impl Drop for KeptInput {
    fn drop(&mut self) {
        KEPT.fetch_sub(self.counted as usize, Ordering::Relaxed);
        if self.wipes {
            self.buffer.zeroize();
        }
    }
}

impl TurnBuffer {
    /// With what was kept of the last turn. `wipes`: what was looked at is not to be left there.
    pub(super) fn begin(kept: &mut Option<KeptInput>, wipes: bool) -> Self {
        let scratch = || SCRATCH.take().unwrap_or_else(|| vec![0; SCRATCH_BYTES].into());
        let Some(mut kept) = kept.take() else {
            return Self { buffer: scratch(), rest: 0..0, wipes };
        };
        let rest = kept.rest.start as usize..kept.rest.end as usize;
        if kept.buffer.len() == SCRATCH_BYTES {
            return Self { buffer: std::mem::take(&mut kept.buffer), rest, wipes };
        }
        let mut buffer = scratch();
        buffer[rest.clone()].copy_from_slice(&kept.buffer);
        Self { buffer, rest, wipes }
    }

    /// What is left is kept for the next turn.
    pub(super) fn end(mut self) -> Option<KeptInput> {
        let rest = std::mem::take(&mut self.rest);
        match rest.len() {
            0 => None,
            1..=COPIED_MAX => {
                let buffer: Box<[u8]> = self.buffer[rest.clone()].into();
                if self.wipes {
                    self.buffer[rest].zeroize();
                }
                let rest = 0..buffer.len() as u32;
                Some(KeptInput::new(buffer, rest, self.wipes))
            }
            _ => {
                let rest = rest.start as u32..rest.end as u32;
                let (buffer, wipes) = (std::mem::take(&mut self.buffer), self.wipes);
                Some(KeptInput::new(buffer, rest, wipes))
            }
        }
    }

    /// Where to read to: nothing is left that would be lost.
    pub(super) fn room(&mut self) -> &mut [u8] {
        let room = match KEPT.load(Ordering::Relaxed) {
            ..=KEPT_MAX => SCRATCH_BYTES,
            _ => COPIED_MAX,
        };
        &mut self.buffer[..room]
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
        if self.wipes {
            self.buffer[self.rest.start..][..count].zeroize();
        }
        self.rest.start += count;
    }
}

impl Drop for TurnBuffer {
    fn drop(&mut self) {
        if !self.buffer.is_empty() {
            let _ = SCRATCH.try_with(|scratch| scratch.set(Some(std::mem::take(&mut self.buffer))));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Mutex, MutexGuard, PoisonError};

    /// What is kept is of the process: one test at a time.
    fn alone() -> MutexGuard<'static, ()> {
        static ALONE: Mutex<()> = Mutex::new(());
        ALONE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A turn that has read so many bytes and taken some of them, within which another link has its turn:
    /// what is left in the next one.
    fn next_turn(read: usize, taken: usize) -> TurnBuffer {
        let mut input = TurnBuffer::begin(&mut None, false);
        (0..read).for_each(|at| input.room()[at] = at as u8);
        input.filled(read);
        input.took(taken);
        let mut within = TurnBuffer::begin(&mut None, false);
        within.room().fill(0);
        drop(within);
        let mut kept = input.end();
        let mut another = TurnBuffer::begin(&mut None, false);
        another.room().fill(0);
        drop(another);
        let next = TurnBuffer::begin(&mut kept, false);
        assert!(kept.is_none());
        next
    }

    #[test]
    fn what_a_turn_leaves_is_there_in_the_next() {
        let _alone = alone();
        for (read, taken) in [(5, 2), (COPIED_MAX + 3, 2), (SCRATCH_BYTES, 1)] {
            let mut input = next_turn(read, taken);
            let left: Vec<u8> = (taken..read).map(|at| at as u8).collect();
            assert_eq!(input.rest(), left);
            input.took(left.len());
            assert!(input.end().is_none());
        }
    }

    #[test]
    fn what_was_looked_at_is_wiped_where_passwords_come() {
        let _alone = alone();
        let mut kept = None;
        for step in 0..2 {
            let mut input = TurnBuffer::begin(&mut kept, true);
            if step == 0 {
                input.room()[..7].copy_from_slice(b"abcdefg");
                input.filled(7);
            }
            input.took(3);
            assert_eq!(input.room()[..3], [0; 3]);
            kept = input.end();
            let mut next = TurnBuffer::begin(&mut None, true);
            assert!(next.room()[..7].iter().all(|byte| *byte == 0));
        }
        assert_eq!(TurnBuffer::begin(&mut kept, true).rest(), b"g");
    }

    #[test]
    fn where_much_is_left_little_is_read() {
        let _alone = alone();
        let before = KEPT.load(Ordering::Relaxed);
        let room = || TurnBuffer::begin(&mut None, false).room().len();
        let mut all = Vec::new();
        while room() == SCRATCH_BYTES {
            let mut input = TurnBuffer::begin(&mut None, false);
            let count = input.room().len();
            input.filled(count);
            input.took(1);
            all.push(input.end());
        }
        assert_eq!(all.len(), KEPT_MAX / SCRATCH_BYTES + 1);
        assert_eq!(room(), COPIED_MAX);
        all.pop();
        assert_eq!(room(), SCRATCH_BYTES);
        // Given back where a link goes on, and where it does not.
        all.truncate(9);
        all.iter_mut().take(5).for_each(|kept| drop(TurnBuffer::begin(kept, false)));
        drop(all);
        assert_eq!(KEPT.load(Ordering::Relaxed), before);
    }
}
