//! A received multipart message: one buffer, cut into its parts.

use bytes::Bytes;
use std::fmt;
use std::ops::Range;

/// Parts whose ranges are kept in place: as many as pseud's messages have. The rest is on the heap.
pub(crate) const USUAL: usize = 5;

/// Where a part lies: its first byte, and the one behind its last.
pub(crate) type PartRange = (u32, u32);

/// A received multipart message. One buffer holds all parts; they are ranges of it.
#[derive(Clone, Default)]
pub struct Parts {
    bytes: Bytes,
    places: [PartRange; USUAL],
    more: Option<Box<[PartRange; Parts::MAX - USUAL]>>,
    len: u8,
}

impl Parts {
    /// The most parts that a message may have. pseud's have 5; 16 leaves room for routing layers.
    pub const MAX: usize = 16;

    /// The message whose parts are those `ranges` of `bytes`; parts over [`Parts::MAX`] are refused
    /// as `None`, and so is a range that leaves `bytes`.
    pub fn new(bytes: Bytes, ranges: &[Range<u32>]) -> Option<Self> {
        let size = bytes.len();
        let is_inside = |range: &Range<u32>| range.start <= range.end && range.end as usize <= size;
        if ranges.len() > Self::MAX || !ranges.iter().all(is_inside) {
            return None;
        }
        let mut places = [(0, 0); Self::MAX];
        places.iter_mut().zip(ranges).for_each(|(to, range)| *to = (range.start, range.end));
        let (first, more) = places.get(..ranges.len())?.split_at(ranges.len().min(USUAL));
        Some(Self::placed(bytes, first, more))
    }

    /// The message whose parts lie there: at most [`Parts::MAX`], none of them outside of `bytes`.
    pub(crate) fn placed(bytes: Bytes, first: &[PartRange], more: &[PartRange]) -> Self {
        let mut places = [(0, 0); USUAL];
        places.iter_mut().zip(first).for_each(|(to, place)| *to = *place);
        let rest = (!more.is_empty()).then(|| {
            let mut rest = Box::new([(0, 0); Self::MAX - USUAL]);
            rest.iter_mut().zip(more).for_each(|(to, place)| *to = *place);
            rest
        });
        Self { bytes, places, more: rest, len: (first.len() + more.len()).min(Self::MAX) as u8 }
    }

    /// The message made of those frames, copied into one buffer: for drivers whose transport hands
    /// over frames (libzmq).
    pub fn from_frames<T: AsRef<[u8]>>(frames: &[T]) -> Option<Self> {
        let mut bytes = Vec::with_capacity(frames.iter().map(|frame| frame.as_ref().len()).sum());
        let mut ranges = Vec::with_capacity(frames.len());
        for frame in frames {
            let start = u32::try_from(bytes.len()).ok()?;
            bytes.extend_from_slice(frame.as_ref());
            ranges.push(start..u32::try_from(bytes.len()).ok()?);
        }
        Self::new(bytes.into(), &ranges)
    }

    /// How many parts there are.
    pub fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// Whether there is no part at all.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// One part's bytes.
    #[inline]
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let range = self.range(index)?;
        self.bytes.get(range.start as usize..range.end as usize)
    }

    /// Where one part lies in the buffer.
    #[inline]
    pub fn range(&self, index: usize) -> Option<Range<u32>> {
        if index >= self.len() {
            return None;
        }
        let (start, end) = match index.checked_sub(USUAL) {
            None => *self.places.get(index)?,
            Some(beyond) => *self.more.as_ref()?.get(beyond)?,
        };
        Some(start..end)
    }

    /// The parts, in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// The same message, to look at: all of one of pseud's, of a longer one its first parts.
    pub fn lent(&self) -> Lent<'_> {
        let ranges = self.places.get(..self.len().min(USUAL)).unwrap_or_default();
        Lent { bytes: &self.bytes, ranges, len: self.len() }
    }

    /// Where the parts lie: the usual ones, and those behind them.
    pub(crate) fn places(&self) -> (&[PartRange], &[PartRange]) {
        let first = self.places.get(..self.len().min(USUAL)).unwrap_or_default();
        let more = self.more.as_ref().and_then(|more| more.get(..self.len().saturating_sub(USUAL)));
        (first, more.unwrap_or_default())
    }

    /// Takes the buffer that all parts lie in, and leaves none: where they lay is known yet.
    pub(crate) fn take_bytes(&mut self) -> Bytes {
        std::mem::take(&mut self.bytes)
    }

    /// The buffer that all parts lie in.
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }
}

/// A received multipart message that still lies in somebody's buffer: nothing of it was copied.
#[derive(Clone, Copy)]
pub struct Lent<'a> {
    bytes: &'a [u8],
    ranges: &'a [PartRange],
    len: usize,
}

impl<'a> Lent<'a> {
    /// The message whose parts are those ranges of `bytes`, as (start, end). One that leaves `bytes` is
    /// as good as missing.
    pub fn new(bytes: &'a [u8], ranges: &'a [(u32, u32)]) -> Self {
        Self { bytes, ranges, len: ranges.len() }
    }

    /// How many parts there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The message of so many parts, of which the first lie there.
    #[inline]
    pub(crate) fn first(bytes: &'a [u8], ranges: &'a [PartRange], len: usize) -> Self {
        Self { bytes, ranges, len }
    }

    /// Whether there is no part at all.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes that all parts lie in.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// One part's bytes.
    pub fn get(&self, index: usize) -> Option<&'a [u8]> {
        let &(start, end) = self.ranges.get(index)?;
        self.bytes.get(start as usize..end as usize)
    }

    /// Where one part lies.
    pub fn range(&self, index: usize) -> Option<Range<u32>> {
        let &(start, end) = self.ranges.get(index)?;
        Some(start..end)
    }

    /// All parts of a message that has five, and where the last one lies.
    #[inline]
    pub(crate) fn five(&self) -> Option<([&'a [u8]; 5], Range<u32>)> {
        let &[a, b, c, d, e] = self.ranges else { return None };
        let part = |(start, end): PartRange| self.bytes.get(start as usize..end as usize);
        let parts = [part(a)?, part(b)?, part(c)?, part(d)?, part(e)?];
        (self.len == 5).then_some((parts, e.0..e.1))
    }
}

impl fmt::Debug for Lent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ranges.iter().map(|(start, end)| end - start)).finish()
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(<[u8]>::len)).finish()
    }
}
