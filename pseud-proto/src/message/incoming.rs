//! A message as it came, before anybody has said what of it is needed for longer.

use crate::base::stored::Stored;
use crate::message::parts::{Lent, PartRange, Parts};
use bytes::{Buf, Bytes, BytesMut};
use std::fmt;
use std::ops::Range;
use zeroize::Zeroize;

/// A whole message that came. It lies in its driver's input, or in the buffer that its frames were read
/// into: the first is copied by whoever keeps it, the second is not.
pub struct IncomingMessage<'a> {
    bytes: IncomingBytes<'a>,
    places: &'a [PartRange],
    /// Those behind the usual number of parts.
    more: &'a [PartRange],
}

/// What a message lies in.
pub(crate) enum IncomingBytes<'a> {
    Input(&'a [u8]),
    Buffer(BytesMut),
    Shared(Bytes),
}

impl IncomingBytes<'_> {
    #[inline]
    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Input(bytes) => bytes,
            Self::Buffer(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        }
    }
}

impl<'a> IncomingMessage<'a> {
    #[inline]
    pub(crate) fn new(
        bytes: IncomingBytes<'a>,
        places: &'a [PartRange],
        more: &'a [PartRange],
    ) -> Self {
        Self { bytes, places, more }
    }

    /// A message whose parts are owned already: those of `parts`, which lie in `bytes`.
    pub(crate) fn of(parts: &'a Parts, bytes: Bytes) -> Self {
        let (places, more) = parts.places();
        Self::new(IncomingBytes::Shared(bytes), places, more)
    }

    /// The same message, to look at: all of one of pseud's, of a longer one its first parts.
    #[inline]
    pub fn lent(&self) -> Lent<'_> {
        Lent::first(self.bytes.as_slice(), self.places, self.places.len() + self.more.len())
    }

    /// The message, to keep.
    pub fn into_parts(self) -> Parts {
        let (places, more) = (self.places, self.more);
        Parts::placed(self.into_bytes(), places, more)
    }

    /// The bytes that all its parts lie in, to keep.
    pub fn into_bytes(self) -> Bytes {
        match self.bytes {
            IncomingBytes::Input(bytes) => Bytes::copy_from_slice(bytes),
            IncomingBytes::Buffer(bytes) => bytes.freeze(),
            IncomingBytes::Shared(bytes) => bytes,
        }
    }

    /// Nobody needs it any more, and it may show a password. What lies in a driver's input, and what others
    /// hold as well, is left as it is.
    pub(crate) fn wipe(self) {
        match self.bytes {
            IncomingBytes::Input(_) => {}
            IncomingBytes::Buffer(mut bytes) => bytes.zeroize(),
            IncomingBytes::Shared(bytes) => {
                let _ = bytes.try_into_mut().map(|mut bytes| bytes.zeroize());
            }
        }
    }

    /// A range of those, to keep: a short one in its place. What lies outside is empty.
    #[inline]
    pub(crate) fn keep(self, range: Range<u32>) -> Stored {
        let range = range.start as usize..range.end as usize;
        let part = self.bytes.as_slice().get(range.clone()).unwrap_or_default();
        if part.len() <= Stored::IN_PLACE_MAX || matches!(self.bytes, IncomingBytes::Input(_)) {
            return Stored::copy_of(part);
        }
        let mut bytes = self.into_bytes();
        bytes.truncate(range.end);
        bytes.advance(range.start.min(bytes.len()));
        Stored::Shared(bytes)
    }
}

impl fmt::Debug for IncomingMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lent().fmt(f)
    }
}
