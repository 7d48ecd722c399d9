//! Where a body's bytes are kept: short ones in place, so that a small call or result allocates
//! nothing.

use bytes::Bytes;
use std::fmt;

/// A body's bytes.
#[derive(Clone)]
pub(crate) enum Stored {
    /// The first `len` of them.
    InPlace { len: u8, bytes: [u8; Stored::IN_PLACE_MAX] },
    /// Counted, of any length.
    Shared(Bytes),
}

impl Stored {
    /// The longest body that is kept in place: with its length and the tag of the other form it fills
    /// 48 bytes, 16 more than a [`Bytes`].
    pub(crate) const IN_PLACE_MAX: usize = 46;

    /// None.
    pub(crate) fn empty() -> Self {
        Self::InPlace { len: 0, bytes: [0; Self::IN_PLACE_MAX] }
    }

    /// A copy.
    #[inline]
    pub(crate) fn copy_of(source: &[u8]) -> Self {
        let mut bytes = [0; Self::IN_PLACE_MAX];
        match bytes.get_mut(..source.len()) {
            Some(place) => {
                place.copy_from_slice(source);
                Self::InPlace { len: source.len() as u8, bytes }
            }
            None => Self::Shared(Bytes::copy_from_slice(source)),
        }
    }

    /// A copy of the first `len` bytes of a buffer, where they fit in place. What lies behind them is copied
    /// as well: a copy whose size is known takes a few instructions.
    #[inline]
    pub(crate) fn front_of(buffer: &[u8], len: usize) -> Option<Self> {
        let bytes = *buffer.first_chunk()?;
        (len <= Self::IN_PLACE_MAX).then_some(Self::InPlace { len: len as u8, bytes })
    }

    /// The bytes.
    #[inline]
    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Self::InPlace { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Self::Shared(bytes) => bytes,
        }
    }

    /// The buffer that they are kept in, where it can be shared.
    pub(crate) fn owner(&self) -> Option<&Bytes> {
        match self {
            Self::InPlace { .. } => None,
            Self::Shared(bytes) => Some(bytes),
        }
    }

    /// Takes them; nothing is left.
    pub(crate) fn take(&mut self) -> Self {
        std::mem::replace(self, Self::empty())
    }

    /// The bytes, counted: those in place are copied.
    pub(crate) fn into_bytes(self) -> Bytes {
        match self {
            Self::InPlace { .. } => Bytes::copy_from_slice(self.as_slice()),
            Self::Shared(bytes) => bytes,
        }
    }
}

/// How much there is; its content may be secret.
impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stored({} bytes)", self.as_slice().len())
    }
}
