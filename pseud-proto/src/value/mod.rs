//! Bodies: bytes that were not looked at yet, bytes that were checked, and values.

use bytes::Bytes;
use std::fmt;
use std::ops::Range;

/// A body as it came: nobody has looked at it yet.
///
/// It keeps the message it came in alive and names a range of it, so moving it costs no count.
#[derive(Clone)]
pub struct Unchecked {
    owner: Bytes,
    range: Range<u32>,
}

impl Unchecked {
    /// All of `bytes`.
    pub fn new(bytes: Bytes) -> Self {
        let end = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        Self { owner: bytes, range: 0..end }
    }

    /// A range of `owner`; what lies outside it is empty.
    pub(crate) fn part(owner: Bytes, range: Range<u32>) -> Self {
        Self { owner, range }
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.owner.get(self.range.start as usize..self.range.end as usize).unwrap_or_default()
    }
}

impl fmt::Debug for Unchecked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unchecked({} bytes)", self.as_bytes().len())
    }
}

/// Checked msgpack: a result, or arguments and keyword arguments one behind the other.
#[derive(Clone)]
pub struct Packed {
    bytes: Bytes,
    v1_safe: bool,
}

impl Packed {
    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its bytes, owned.
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }

    /// Whether a Python pseud 1.0 process reads it without harm.
    pub fn is_v1_safe(&self) -> bool {
        self.v1_safe
    }
}

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Packed({} bytes)", self.bytes.len())
    }
}
