//! Bytes that nobody else should see.

use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

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

    /// Whether it is `other`, in a time that depends on the lengths alone.
    pub fn matches(&self, other: &[u8]) -> bool {
        self.0.ct_eq(other).into()
    }
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
}
