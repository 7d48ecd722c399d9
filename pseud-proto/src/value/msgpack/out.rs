//! Where encoded bytes go: small bodies on the stack, so that a call costs one allocation.

use crate::base::heap_room;
use crate::base::stored::Stored;
use crate::value::Integer;

/// Most calls' arguments fit; a longer body moves to the heap.
const SMALL: usize = 128;
/// In place of a count: the body has moved to the heap. Nothing fits behind it.
const MOVED: usize = SMALL + 1;

/// Encoded bytes in the making.
pub(crate) struct Out {
    small: [u8; SMALL],
    /// How many of those count, or [`MOVED`].
    used: usize,
    large: Vec<u8>,
}

impl Out {
    #[inline]
    pub(crate) fn new() -> Self {
        Self { small: [0; SMALL], used: 0, large: Vec::new() }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.as_slice().len()
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[u8] {
        self.small.get(..self.used).unwrap_or(&self.large)
    }

    /// All of it; what is left is not to be used.
    #[inline]
    pub(crate) fn take(&mut self) -> Stored {
        if let Some(stored) = Stored::front_of(&self.small, self.used) {
            return stored;
        }
        match self.small.get(..self.used) {
            Some(small) => Stored::copy_of(small),
            None => Stored::Shared(std::mem::take(&mut self.large).into()),
        }
    }

    #[inline]
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        let end = self.used + bytes.len();
        match self.small.get_mut(self.used..end) {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.used = end;
            }
            None => self.heap(bytes.len()).extend_from_slice(bytes),
        }
    }

    #[inline]
    pub(crate) fn put_byte(&mut self, byte: u8) {
        match self.small.get_mut(self.used) {
            Some(place) => {
                *place = byte;
                self.used += 1;
            }
            None => self.heap(1).push(byte),
        }
    }

    /// Puts another byte where one stood.
    pub(crate) fn set(&mut self, at: usize, byte: u8) {
        let bytes = self.small.get_mut(..self.used).unwrap_or(&mut self.large);
        if let Some(place) = bytes.get_mut(at) {
            *place = byte;
        }
    }

    /// Puts `head` where `old` bytes stood at `start`: a sequence turned out longer or shorter than
    /// it had announced.
    pub(crate) fn replace(&mut self, start: usize, old: usize, head: &[u8]) {
        let heap = self.heap(head.len());
        if start + old <= heap.len() {
            heap.splice(start..start + old, head.iter().copied());
        }
    }

    /// The body so far, moved to the heap, with room for so many bytes behind it.
    #[cold]
    fn heap(&mut self, more: usize) -> &mut Vec<u8> {
        if let Some(small) = self.small.get(..self.used) {
            // With room for what stands behind a long text: keyword arguments, mostly none.
            let room = small.len().saturating_add(more).saturating_add(4 * SMALL);
            heap_room::expect(room);
            self.large.reserve(room);
            self.large.extend_from_slice(small);
            self.used = MOVED;
        }
        &mut self.large
    }

    #[inline]
    pub(crate) fn int(&mut self, value: Integer) {
        match value.as_u64() {
            Some(value) => self.unsigned(value),
            None => self.negative(value.as_i64().unwrap_or_default()),
        }
    }

    #[inline]
    pub(crate) fn unsigned(&mut self, value: u64) {
        let [.., b4, b5, b6, b7] = value.to_be_bytes();
        match value {
            0..=0x7f => self.put_byte(b7),
            0x80..=0xff => self.put(&[0xcc, b7]),
            0x100..=0xffff => self.put(&[0xcd, b6, b7]),
            0x1_0000..=0xffff_ffff => self.put(&[0xce, b4, b5, b6, b7]),
            _ => self.marked(0xcf, value.to_be_bytes()),
        }
    }

    #[inline]
    fn negative(&mut self, value: i64) {
        let [.., b4, b5, b6, b7] = value.to_be_bytes();
        match value {
            -0x20.. => self.put_byte(b7),
            -0x80.. => self.put(&[0xd0, b7]),
            -0x8000.. => self.put(&[0xd1, b6, b7]),
            -0x8000_0000.. => self.put(&[0xd2, b4, b5, b6, b7]),
            _ => self.marked(0xd3, value.to_be_bytes()),
        }
    }

    #[inline]
    pub(crate) fn f64(&mut self, value: f64) {
        self.marked(0xcb, value.to_be_bytes());
    }

    #[inline]
    fn marked(&mut self, marker: u8, [a, b, c, d, e, f, g, h]: [u8; 8]) {
        self.put(&[marker, a, b, c, d, e, f, g, h]);
    }

    #[inline]
    pub(crate) fn str(&mut self, value: &str, len: u32) {
        self.head(STR, len);
        self.put(value.as_bytes());
    }

    #[inline]
    pub(crate) fn bin(&mut self, value: &[u8], len: u32) {
        self.head(BIN, len);
        self.put(value);
    }

    pub(crate) fn ext(&mut self, code: i8, value: &[u8], len: u32) {
        match len {
            1 => self.put(&[0xd4]),
            2 => self.put(&[0xd5]),
            4 => self.put(&[0xd6]),
            8 => self.put(&[0xd7]),
            16 => self.put(&[0xd8]),
            _ => self.head(EXT, len),
        }
        self.put(&code.to_be_bytes());
        self.put(value);
    }

    #[inline]
    pub(crate) fn head(&mut self, family: Family, len: u32) {
        if len < family.below {
            return self.put_byte(family.fix | len as u8);
        }
        let (bytes, used) = family.head(len);
        self.put(bytes.get(..used).unwrap_or_default());
    }
}

/// One family of heads: its short form's marker and limit, and the markers of its 8, 16 and 32-bit
/// forms (0 where there is none).
#[derive(Clone, Copy)]
pub(crate) struct Family {
    fix: u8,
    below: u32,
    wide: [u8; 3],
}

pub(crate) const STR: Family = Family { fix: 0xa0, below: 32, wide: [0xd9, 0xda, 0xdb] };
pub(crate) const BIN: Family = Family { fix: 0, below: 0, wide: [0xc4, 0xc5, 0xc6] };
pub(crate) const ARRAY: Family = Family { fix: 0x90, below: 16, wide: [0, 0xdc, 0xdd] };
pub(crate) const MAP: Family = Family { fix: 0x80, below: 16, wide: [0, 0xde, 0xdf] };
const EXT: Family = Family { fix: 0, below: 0, wide: [0xc7, 0xc8, 0xc9] };

impl Family {
    /// Whether a value with that marker is of this family.
    #[inline]
    pub(crate) fn has(self, marker: u8) -> bool {
        let fix = u32::from(marker).wrapping_sub(u32::from(self.fix)) < self.below;
        fix || self.wide.contains(&marker) && marker != 0
    }

    /// The head of an empty one, where that has a short form.
    pub(crate) fn empty(self) -> u8 {
        self.fix
    }

    /// The smallest head for that length, and how many of its bytes count.
    pub(crate) fn head(self, len: u32) -> ([u8; 5], usize) {
        let [a, b, c, d] = len.to_be_bytes();
        let [byte, short, long] = self.wide;
        match len {
            _ if len < self.below => ([self.fix | d, 0, 0, 0, 0], 1),
            0..=0xff if byte != 0 => ([byte, d, 0, 0, 0], 2),
            0..=0xffff => ([short, c, d, 0, 0], 3),
            _ => ([long, a, b, c, d], 5),
        }
    }
}
