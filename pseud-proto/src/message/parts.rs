//! A received multipart message: one buffer, cut into its parts.

use bytes::Bytes;
use std::fmt;
use std::ops::Range;

/// Parts whose ranges are kept in place: as many as pseud's messages have. The rest is on the heap.
const USUAL: usize = 5;

/// Where a part lies: its first byte, and the one behind its last.
type PartRange = (u32, u32);

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
        let place = |range: &Range<u32>| (range.start, range.end);
        let mut places = [(0, 0); USUAL];
        places.iter_mut().zip(ranges).for_each(|(to, range)| *to = place(range));
        let more = ranges.get(USUAL..).filter(|rest| !rest.is_empty()).map(|rest| {
            let mut more = Box::new([(0, 0); Self::MAX - USUAL]);
            more.iter_mut().zip(rest).for_each(|(to, range)| *to = place(range));
            more
        });
        Some(Self { bytes, places, more, len: ranges.len() as u8 })
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
