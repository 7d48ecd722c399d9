//! The boxes by RustCrypto's `crypto_box`.

use super::{Cipher, DirectionCipher, Forged, KeyBytes, Nonce, Prefix, Tag, short_nonce};
use crypto_box::aead::AeadInPlace;
use crypto_box::{PublicKey, SalsaBox, SecretKey};
use std::sync::Arc;

/// A shared key.
#[derive(Clone)]
pub(crate) struct RustCrypto(Arc<SalsaBox>);

impl Cipher for RustCrypto {
    type DirectionCipher = RustCryptoStream;

    fn public_key(secret: &KeyBytes) -> KeyBytes {
        SecretKey::from_bytes(*secret).public_key().to_bytes()
    }

    /// `crypto_box` takes any key: those of low order must be refused before.
    fn agree(theirs: &KeyBytes, ours: &KeyBytes) -> Option<Self> {
        let (theirs, ours) = (PublicKey::from_bytes(*theirs), SecretKey::from_bytes(*ours));
        Some(Self(Arc::new(SalsaBox::new(&theirs, &ours))))
    }

    fn seal(&self, nonce: &Nonce, data: &mut [u8]) -> Tag {
        // It fails over associated data alone, and there is none. Plaintext must not leave anyhow.
        self.0.encrypt_in_place_detached(nonce.into(), &[], data).map_or_else(
            |_| {
                data.fill(0);
                Tag::default()
            },
            Into::into,
        )
    }

    fn open(&self, nonce: &Nonce, tag: &Tag, data: &mut [u8]) -> Result<(), Forged> {
        self.0.decrypt_in_place_detached(nonce.into(), &[], data, tag.into()).map_err(|_| Forged)
    }

    fn stream(&self, prefix: Prefix) -> RustCryptoStream {
        RustCryptoStream { key: self.clone(), prefix }
    }
}

/// A shared key and the prefix of one direction.
pub(crate) struct RustCryptoStream {
    key: RustCrypto,
    prefix: Prefix,
}

/// `crypto_box` keeps its key stream to itself.
#[derive(Default)]
pub(crate) struct NoScratch(());

impl DirectionCipher for RustCryptoStream {
    type Scratch = NoScratch;

    fn seal(&self, _: &mut NoScratch, number: u64, data: &mut [u8]) -> Tag {
        self.key.seal(&short_nonce(&self.prefix, number), data)
    }

    fn open(
        &self,
        _: &mut NoScratch,
        number: u64,
        tag: &Tag,
        data: &mut [u8],
    ) -> Result<(), Forged> {
        self.key.open(&short_nonce(&self.prefix, number), tag, data)
    }
}
