//! A queue of bytes: small pieces are gathered in one buffer, large ones stay what they are.

use bytes::{Buf, Bytes};
use std::collections::VecDeque;
use std::fmt;
use std::io::IoSlice;

/// Up to this a copy is cheaper than a piece of its own.
pub(crate) const COPY_MAX: usize = 2 * 1024;
/// A drained buffer over this is let go at once: what one small call or answer takes is kept.
const KEEP_MAX: usize = 128;
/// Room that is made at least where there is something already.
const BURST: usize = 2 * 1024;
/// A front that is gone is cut off from there on.
const FRONT_MAX: usize = 64 * 1024;

/// Bytes to write, in order.
#[derive(Default, Clone)]
pub(crate) struct Pieces {
    small: Vec<u8>,
    /// Where those begin that are not gone.
    small_at: usize,
    /// Made where there is one.
    large: Option<Box<LargePieces>>,
    len: usize,
}

#[derive(Default, Clone)]
struct LargePieces {
    queue: VecDeque<LargePiece>,
    /// Bytes of the small buffer that are before one of them.
    small_before: usize,
}

/// A piece that is queued as it is.
#[derive(Clone)]
struct LargePiece {
    /// Bytes of the small buffer before it, behind the large piece before that.
    small_before: usize,
    bytes: Bytes,
}

impl Pieces {
    /// Bytes in it.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends what `put` does to the small buffer, which has room for so many bytes.
    #[inline]
    pub(crate) fn put(&mut self, room: usize, put: impl FnOnce(&mut Vec<u8>)) {
        if self.small.capacity() - self.small.len() < room {
            self.grow(room);
        }
        let before = self.small.len();
        put(&mut self.small);
        let added = self.small.len() - before;
        self.len += added;
    }

    /// One small message after the other needs no more than its own room; where one is behind another,
    /// many may be.
    #[cold]
    fn grow(&mut self, room: usize) {
        match self.small.is_empty() {
            true => self.small.reserve_exact(room),
            false => self.small.reserve(room.max(BURST)),
        }
    }

    /// Appends bytes.
    pub(crate) fn put_bytes(&mut self, bytes: &[u8]) {
        self.put(bytes.len(), |small| small.extend_from_slice(bytes));
    }

    /// Appends a piece that is not copied, whatever its size.
    pub(crate) fn put_apart(&mut self, bytes: Bytes) {
        if bytes.is_empty() {
            return;
        }
        self.len += bytes.len();
        let large = self.large.get_or_insert_default();
        if large.queue.capacity() == 0 {
            // One large body after the other needs no more.
            large.queue.reserve_exact(1);
        }
        let small_before = self.small.len() - self.small_at - large.small_before;
        large.small_before += small_before;
        large.queue.push_back(LargePiece { small_before, bytes });
    }

    /// Fills `out` with the front and says how many slices that made.
    pub(crate) fn slices<'a>(&'a self, out: &mut [IoSlice<'a>]) -> usize {
        let mut small = self.small.get(self.small_at..).unwrap_or_default();
        let mut slices = out.iter_mut();
        let mut count = 0;
        let mut put = |bytes: &'a [u8]| {
            let slice = if bytes.is_empty() { None } else { slices.next() };
            count += usize::from(slice.is_some());
            let is_put = slice.is_some() || bytes.is_empty();
            slice.into_iter().for_each(|slice| *slice = IoSlice::new(bytes));
            is_put
        };
        let large = self.large.iter().flat_map(|large| &large.queue);
        for LargePiece { small_before, bytes } in large {
            let (before, rest) = small.split_at_checked(*small_before).unwrap_or_default();
            small = rest;
            if !put(before) || !put(bytes) {
                return count;
            }
        }
        put(small);
        count
    }

    /// The front goes: so many bytes, or all.
    pub(crate) fn advance(&mut self, count: usize) {
        let mut left = count.min(self.len);
        self.len -= left;
        while left > 0
            && let Some(LargePieces { queue, small_before }) = self.large.as_deref_mut()
            && let Some(large) = queue.front_mut()
        {
            let small = left.min(large.small_before);
            large.small_before -= small;
            *small_before -= small;
            self.small_at += small;
            let gone = (left - small).min(large.bytes.len());
            large.bytes.advance(gone);
            left -= small + gone;
            if large.small_before == 0 && large.bytes.is_empty() {
                queue.pop_front();
            }
        }
        self.small_at += left;
        self.compact();
    }

    /// Moves the first `count` bytes to the end of others. No byte is copied where that is all and the
    /// others are none, and no large piece is where it is moved whole.
    pub(crate) fn move_to(&mut self, others: &mut Self, count: usize) {
        if count >= self.len && others.is_empty() {
            return std::mem::swap(self, others);
        }
        let mut left = count.min(self.len);
        self.len -= left;
        while left > 0
            && let Some(LargePieces { queue, small_before }) = self.large.as_deref_mut()
            && let Some(large) = queue.front_mut()
        {
            let small = left.min(large.small_before);
            large.small_before -= small;
            *small_before -= small;
            others.put_bytes(
                self.small.get(self.small_at..self.small_at + small).unwrap_or_default(),
            );
            self.small_at += small;
            let moved = (left - small).min(large.bytes.len());
            others.put_apart(large.bytes.split_to(moved));
            left -= small + moved;
            if large.small_before == 0 && large.bytes.is_empty() {
                queue.pop_front();
            }
        }
        others.put_bytes(self.small.get(self.small_at..self.small_at + left).unwrap_or_default());
        self.small_at += left;
        self.compact();
    }

    /// Lets large buffers go once all is gone. Else the small one's front is cut off when it is the
    /// larger half, so that moving the rest costs no more than writing it did.
    #[inline]
    fn compact(&mut self) {
        if self.small_at == self.small.len() {
            self.small.clear();
            self.small_at = 0;
            if self.small.capacity() > KEEP_MAX {
                self.small = Vec::new();
            }
        } else if self.small_at >= FRONT_MAX && self.small_at >= self.small.len() / 2 {
            self.small.drain(..self.small_at);
            self.small_at = 0;
        }
        if let Some(LargePieces { queue, .. }) = self.large.as_deref()
            && queue.is_empty()
            && queue.capacity() > 1
        {
            self.large = None;
        }
    }

    /// How many of the first `count` bytes are in the small buffer.
    pub(crate) fn small_of(&self, count: usize) -> usize {
        let (mut left, mut small) = (count, 0);
        let large = self.large.iter().flat_map(|large| &large.queue);
        for LargePiece { small_before, bytes } in large {
            let before = left.min(*small_before);
            small += before;
            left -= before;
            if left == 0 {
                break;
            }
            left -= left.min(bytes.len());
        }
        small + left
    }

    /// Holds nothing that it does not need.
    pub(crate) fn release(&mut self) {
        if self.is_empty() {
            *self = Self::default();
        }
    }

    /// To look at it from its front.
    #[inline]
    pub(crate) fn walk(&self) -> Walk<'_> {
        let small = self.small.get(self.small_at..).unwrap_or_default();
        let mut large = self.large.as_ref().map(|large| large.queue.iter()).unwrap_or_default();
        let next = large.next();
        Walk { small, large, next, before: next.map_or(usize::MAX, |large| large.small_before) }
    }

    /// Bytes of memory that its buffers take, bodies that are shared apart.
    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        let large = self.large.as_ref().map_or(0, |large| large.queue.capacity());
        self.small.capacity() + large * size_of::<LargePiece>()
    }
}

/// How much there is; it may be secret.
impl fmt::Debug for Pieces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pieces({} bytes)", self.len)
    }
}

/// A look at bytes in order.
#[derive(Clone)]
pub(crate) struct Walk<'a> {
    small: &'a [u8],
    large: std::collections::vec_deque::Iter<'a, LargePiece>,
    next: Option<&'a LargePiece>,
    /// Bytes of `small` before that.
    before: usize,
}

/// Some of those bytes: with at most one large piece among them.
#[derive(Clone, Copy, Default)]
pub(crate) struct Stretch<'a> {
    pub(crate) head: &'a [u8],
    pub(crate) apart: Option<&'a Bytes>,
    pub(crate) tail: &'a [u8],
}

impl Stretch<'_> {
    pub(crate) fn len(&self) -> usize {
        self.head.len() + self.apart.map_or(0, Bytes::len) + self.tail.len()
    }
}

impl<'a> Walk<'a> {
    /// Small bytes that are next, up to a large piece.
    #[inline]
    pub(crate) fn peek(&self) -> &'a [u8] {
        self.small.get(..self.before).unwrap_or(self.small)
    }

    /// Leaves out the first `count` of those.
    #[inline]
    pub(crate) fn skip(&mut self, count: usize) {
        self.small = self.small.get(count..).unwrap_or_default();
        self.before = self.before.saturating_sub(count);
    }

    #[inline]
    fn take_small(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.small.split_at_checked(count).unwrap_or((self.small, &[]));
        self.small = rest;
        self.before = self.before.saturating_sub(taken.len());
        taken
    }

    /// The next `count` bytes, of which a large piece is none or all.
    #[inline]
    pub(crate) fn take(&mut self, count: usize) -> Stretch<'a> {
        if count <= self.before {
            return Stretch { head: self.take_small(count), ..Stretch::default() };
        }
        let head = self.take_small(self.before);
        let apart = self.next.map(|large| &large.bytes);
        self.next = self.large.next();
        self.before = self.next.map_or(usize::MAX, |large| large.small_before);
        let behind = count.saturating_sub(head.len() + apart.map_or(0, Bytes::len));
        Stretch { head, apart, tail: self.take_small(behind) }
    }
}

/// `size` halved, rounded up, until it is that at most: a buffer of that size that doubles when it is full has
/// `size` in the end.
pub(crate) fn halved_to(size: usize, max: usize) -> usize {
    let mut halvings = 0;
    while size >> halvings > max {
        halvings += 1;
    }
    size.div_ceil(1 << halvings)
}

#[cfg(test)]
mod tests;
