//! The boxes by dryoc, with a shorter way for small ones.
//!
//! XSalsa20 is Salsa20 under a subkey made of the key and the first 16 bytes of the nonce. Those
//! are the same for all messages of one direction, so its subkey is made once. dryoc takes no
//! subkey: small boxes go through the plain Salsa20 of `salsa20` and dryoc's Poly1305, for large
//! ones dryoc's vector code is worth making the subkey again.

use super::{Cipher, Forged, Key, Nonce, Prefix, Stream, Tag, short_nonce};
use dryoc::classic::crypto_box::{
    crypto_box_beforenm, crypto_box_detached_afternm_inplace,
    crypto_box_open_detached_afternm_inplace,
};
use dryoc::classic::crypto_core::{crypto_core_hsalsa20, crypto_scalarmult_base};
use dryoc::classic::crypto_onetimeauth::{crypto_onetimeauth, crypto_onetimeauth_verify};
use salsa20::Salsa20;
use salsa20::cipher::{KeyIvInit, StreamCipher};
use zeroize::Zeroizing;

/// The largest data that the short way seals faster.
const SEAL_SHORT_MAX: usize = 96;
/// The same for opening.
const OPEN_SHORT_MAX: usize = 192;
/// The first block of key stream: half of it keys the tag, the other half covers data.
const BLOCK_LEN: usize = 64;
const MAC_KEY_LEN: usize = 32;

/// A shared key.
pub(crate) struct Dryoc(Zeroizing<Key>);

impl Cipher for Dryoc {
    type Stream = DryocStream;

    fn public_key(secret: &Key) -> Key {
        let mut public = [0; 32];
        crypto_scalarmult_base(&mut public, secret);
        public
    }

    fn agree(theirs: &Key, ours: &Key) -> Option<Self> {
        Some(Self(Zeroizing::new(crypto_box_beforenm(theirs, ours).ok()?)))
    }

    fn seal(&self, nonce: &Nonce, data: &mut [u8]) -> Tag {
        let mut tag = Tag::default();
        crypto_box_detached_afternm_inplace(data, &mut tag, nonce, &self.0);
        tag
    }

    fn open(&self, nonce: &Nonce, tag: &Tag, data: &mut [u8]) -> Result<(), Forged> {
        crypto_box_open_detached_afternm_inplace(data, tag, nonce, &self.0).map_err(|_| Forged)
    }

    fn stream(&self, prefix: Prefix) -> DryocStream {
        let mut subkey = Zeroizing::new(Key::default());
        crypto_core_hsalsa20(&mut subkey, &prefix, &self.0, None);
        DryocStream { key: Self(self.0.clone()), subkey, prefix }
    }
}

/// A shared key and its subkey for one direction.
pub(crate) struct DryocStream {
    key: Dryoc,
    subkey: Zeroizing<Key>,
    prefix: Prefix,
}

impl Stream for DryocStream {
    fn seal(&self, number: u64, data: &mut [u8]) -> Tag {
        if data.len() > SEAL_SHORT_MAX {
            return self.key.seal(&short_nonce(&self.prefix, number), data);
        }
        let mut short = Short::new(&self.subkey, number);
        short.apply(data);
        short.tag(data)
    }

    fn open(&self, number: u64, tag: &Tag, data: &mut [u8]) -> Result<(), Forged> {
        if data.len() > OPEN_SHORT_MAX {
            return self.key.open(&short_nonce(&self.prefix, number), tag, data);
        }
        let mut short = Short::new(&self.subkey, number);
        short.verify(tag, data)?;
        short.apply(data);
        Ok(())
    }
}

/// One small box in the making.
struct Short {
    mac_key: Zeroizing<Key>,
    /// The key stream of the first bytes.
    pad: Zeroizing<[u8; BLOCK_LEN - MAC_KEY_LEN]>,
    /// The key stream of the bytes behind them.
    rest: Salsa20,
}

impl Short {
    fn new(subkey: &Key, number: u64) -> Self {
        let mut block = Zeroizing::new([0; BLOCK_LEN]);
        let mut rest = Salsa20::new(subkey.into(), &number.to_be_bytes().into());
        rest.apply_keystream(&mut *block);
        let (mut mac_key, mut pad) = (Zeroizing::new([0; 32]), Zeroizing::new([0; 32]));
        xor(&mut *mac_key, &*block);
        xor(&mut *pad, block.get(MAC_KEY_LEN..).unwrap_or_default());
        Self { mac_key, pad, rest }
    }

    /// Encrypts or decrypts.
    fn apply(&mut self, data: &mut [u8]) {
        let (front, back) = data.split_at_mut(data.len().min(self.pad.len()));
        xor(front, &*self.pad);
        self.rest.apply_keystream(back);
    }

    fn tag(&self, sealed: &[u8]) -> Tag {
        let mut tag = Tag::default();
        crypto_onetimeauth(&mut tag, sealed, &self.mac_key);
        tag
    }

    fn verify(&self, tag: &Tag, sealed: &[u8]) -> Result<(), Forged> {
        crypto_onetimeauth_verify(tag, sealed, &self.mac_key).map_err(|_| Forged)
    }
}

fn xor(data: &mut [u8], pad: &[u8]) {
    data.iter_mut().zip(pad).for_each(|(byte, pad)| *byte ^= pad);
}
