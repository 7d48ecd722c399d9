//! Bytes that nobody else should see.

use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The longest password that PLAIN can show (ZMTP 3.1 §PLAIN: its length is one byte).
const SHOWN_MAX: usize = 255;

/// A password: wiped when dropped, compared in constant time, never shown.
#[derive(Clone, Default)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// The secret made of those bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// The bytes themselves.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Whether it is `other`. Up to 255 bytes each, which is all that PLAIN can show, the comparison
    /// looks at as many bytes whatever both are, so that its time tells neither bytes nor lengths;
    /// with a longer one it tells the lengths.
    pub fn matches(&self, other: &[u8]) -> bool {
        match (padded(&self.0), padded(other)) {
            (Some(ours), Some(theirs)) => ours.ct_eq(&*theirs).into(),
            _ => self.0.ct_eq(other).into(),
        }
    }
}

/// Its length, its bytes, and zeros: as long for all that can be shown.
fn padded(bytes: &[u8]) -> Option<Zeroizing<[u8; 1 + SHOWN_MAX]>> {
    let mut padded = Zeroizing::new([0; 1 + SHOWN_MAX]);
    let (len, place) = padded.split_first_mut()?;
    *len = u8::try_from(bytes.len()).ok()?;
    place.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(padded)
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.matches(other.expose())
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_bytes_match() {
        let secret = Secret::new("marker");
        assert!(secret.matches(b"marker"));
        for other in [&b""[..], b"marke", b"markes", b"Marker", b"marker\0"] {
            assert!(!secret.matches(other));
            assert_ne!(secret, Secret::new(other));
        }
        assert_eq!(format!("{secret:?}"), "Secret(..)");
    }

    #[test]
    fn every_length_is_another_secret() {
        let zeros = [0; 300];
        for (ours, theirs) in (0..300).flat_map(|ours| [(ours, ours), (ours, ours + 1), (ours, 7)])
        {
            let matches = Secret::new(&zeros[..ours]).matches(&zeros[..theirs.min(300)]);
            assert_eq!(matches, ours == theirs, "{ours} {theirs}");
        }
    }

    #[test]
    fn what_can_be_shown_is_compared_at_one_length() {
        for len in 0..=SHOWN_MAX {
            let padded = padded(&vec![b'x'; len]).unwrap();
            assert_eq!(usize::from(padded[0]), len);
            assert!(padded[1..=len].iter().all(|&byte| byte == b'x'));
            assert!(padded[1 + len..].iter().all(|&byte| byte == 0));
        }
        assert!(padded(&[0; SHOWN_MAX + 1]).is_none());
    }
}
