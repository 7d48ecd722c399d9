//! A message id, as it is on the wire.

use std::fmt;

/// A message id as its maker wrote it: 16 bytes of a uuid4 from us and from Python, 0 to 64 bytes of anybody's
/// (a HEARTBEAT's is empty), echoed verbatim as Python does.
///
/// Up to 22 bytes lie in place; a longer one, which no peer that we know makes, is on the heap.
#[derive(Clone, PartialEq, Eq)]
pub struct WireId(IdBytes);

#[derive(Clone, PartialEq, Eq)]
enum IdBytes {
    Short { len: u8, bytes: [u8; WireId::IN_PLACE_MAX] },
    Long(Box<[u8]>),
}

impl WireId {
    /// The longest id that is echoed, in bytes.
    pub const MAX: usize = 64;
    /// With its length and the tag of the other form it fills 24 bytes.
    const IN_PLACE_MAX: usize = 22;

    /// Those bytes, at most [`WireId::MAX`].
    #[inline]
    pub fn new(id: &[u8]) -> Option<Self> {
        let mut bytes = [0; Self::IN_PLACE_MAX];
        if let Some(place) = bytes.get_mut(..id.len()) {
            place.copy_from_slice(id);
            return Some(Self(IdBytes::Short { len: id.len() as u8, bytes }));
        }
        (id.len() <= Self::MAX).then(|| Self(IdBytes::Long(id.into())))
    }

    /// Its bytes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            IdBytes::Short { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            IdBytes::Long(bytes) => bytes,
        }
    }
}

impl fmt::Debug for WireId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_what_it_was_made_of_up_to_64_bytes() {
        let bytes: Vec<u8> = (0..65).collect();
        for len in 0..=64 {
            let id = WireId::new(&bytes[..len]).unwrap();
            assert_eq!(id.as_bytes(), &bytes[..len]);
            assert_eq!(matches!(id.0, IdBytes::Long(_)), len > 22);
        }
        assert_eq!((WireId::new(&bytes), size_of::<WireId>()), (None, 24));
    }
}
