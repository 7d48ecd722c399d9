//! The boxes of CURVE (X25519, XSalsa20, Poly1305), behind a trait because two crates make them.
//!
//! Both make the same bytes. Where both are compiled in, [`Boxes`] is dryoc's.

#[cfg(feature = "curve")]
mod dryoc;
#[cfg(all(feature = "curve-rustcrypto", any(test, not(feature = "curve"))))]
mod rustcrypto;
#[cfg(test)]
mod tests;

#[cfg(feature = "curve")]
pub(crate) use crate::auth::keys::cipher::dryoc::Dryoc as Boxes;
#[cfg(all(feature = "curve-rustcrypto", not(feature = "curve")))]
pub(crate) use crate::auth::keys::cipher::rustcrypto::RustCrypto as Boxes;

/// Bytes of a box's tag.
pub(crate) const TAG_LEN: usize = 16;

/// A key, public or secret.
pub(crate) type KeyBytes = [u8; 32];
/// The nonce of one box.
pub(crate) type Nonce = [u8; 24];
/// What every nonce of one direction begins with.
pub(crate) type Prefix = [u8; 16];
/// What proves a box.
pub(crate) type Tag = [u8; TAG_LEN];

/// A box did not open. Its bytes are as they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Forged;

/// The key that two key pairs share. It is wiped when dropped.
pub(crate) trait Cipher: Sized {
    /// The same key with the prefix of one direction.
    type DirectionCipher: DirectionCipher;

    /// The public half of a secret key.
    fn public_key(secret: &KeyBytes) -> KeyBytes;

    /// What their public and our secret key make; `None` where that is nothing.
    fn agree(theirs: &KeyBytes, ours: &KeyBytes) -> Option<Self>;

    /// Encrypts in place.
    fn seal(&self, nonce: &Nonce, data: &mut [u8]) -> Tag;

    /// Decrypts in place, if the tag is right.
    fn open(&self, nonce: &Nonce, tag: &Tag, data: &mut [u8]) -> Result<(), Forged>;

    /// For the many boxes of one direction.
    fn stream(&self, prefix: Prefix) -> Self::DirectionCipher;
}

/// One direction of a link: nonces are its prefix and a number.
pub(crate) trait DirectionCipher {
    /// Where a box's key stream stands while it is used, if it does. One serves for all frames of a
    /// message, each over what was there, and is wiped when it is dropped.
    type Scratch: Default;

    /// Encrypts in place.
    fn seal(&self, scratch: &mut Self::Scratch, number: u64, data: &mut [u8]) -> Tag;

    /// Decrypts in place, if the tag is right.
    fn open(
        &self,
        scratch: &mut Self::Scratch,
        number: u64,
        tag: &Tag,
        data: &mut [u8],
    ) -> Result<(), Forged>;
}

/// A direction's nonce with that number.
pub(crate) fn short_nonce(prefix: &Prefix, number: u64) -> Nonce {
    long_nonce(*prefix, number.to_be_bytes())
}

/// A nonce of two pieces, which together have 24 bytes.
pub(crate) fn long_nonce<const A: usize, const B: usize>(front: [u8; A], back: [u8; B]) -> Nonce {
    const { assert!(A + B == 24) };
    let mut nonce = [0; 24];
    let (place_of_front, place_of_back) = nonce.split_at_mut(A);
    place_of_front.copy_from_slice(&front);
    place_of_back.copy_from_slice(&back);
    nonce
}
