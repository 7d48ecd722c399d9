//! The boxes by dryoc, with a shorter way for small ones.
//!
//! XSalsa20 is Salsa20 under a subkey made of the key and the first 16 bytes of the nonce. Those
//! are the same for all messages of one direction, so its subkey is made once. dryoc takes no
//! subkey: small boxes go through the plain Salsa20 of `salsa20` and dryoc's Poly1305, for large
//! ones dryoc's vector code is worth making the subkey again.

use super::{Cipher, DirectionCipher, Forged, KeyBytes, Nonce, Prefix, Tag, short_nonce};
use dryoc::classic::crypto_box::{
    crypto_box_beforenm, crypto_box_detached_afternm_inplace,
    crypto_box_open_detached_afternm_inplace,
};
use dryoc::classic::crypto_core::{crypto_core_hsalsa20, crypto_scalarmult_base};
use dryoc::classic::crypto_onetimeauth::crypto_onetimeauth;
use salsa20::SalsaCore;
use salsa20::cipher::consts::U10;
use salsa20::cipher::{KeyIvInit, StreamCipherCore};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The largest data that the short way seals faster.
const SEAL_SHORT_MAX: usize = 96;
/// The same for opening.
const OPEN_SHORT_MAX: usize = 192;
/// Bytes of a block of key stream.
const BLOCK_LEN: usize = 64;

/// A shared key.
pub(crate) struct Dryoc(Zeroizing<KeyBytes>);

impl Cipher for Dryoc {
    type DirectionCipher = DryocStream;

    fn public_key(secret: &KeyBytes) -> KeyBytes {
        let mut public = [0; 32];
        crypto_scalarmult_base(&mut public, secret);
        public
    }

    fn agree(theirs: &KeyBytes, ours: &KeyBytes) -> Option<Self> {
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
        let mut subkey = Zeroizing::new(KeyBytes::default());
        crypto_core_hsalsa20(&mut subkey, &prefix, &self.0, None);
        DryocStream { key: Self(self.0.clone()), subkey, prefix }
    }
}

/// A shared key and its subkey for one direction.
pub(crate) struct DryocStream {
    key: Dryoc,
    subkey: Zeroizing<KeyBytes>,
    prefix: Prefix,
}

/// The first block of a box's key stream: the one half keys the tag, the other covers the data's first
/// bytes.
pub(crate) struct KeyStreamBlock {
    block: Zeroizing<[u8; BLOCK_LEN]>,
    /// The right tag of what came: it must not be known of what was forged.
    tag: Zeroizing<Tag>,
}

impl Default for KeyStreamBlock {
    fn default() -> Self {
        Self { block: Zeroizing::new([0; BLOCK_LEN]), tag: Zeroizing::default() }
    }
}

#[inline]
fn halves(block: &[u8; BLOCK_LEN]) -> (&KeyBytes, &[u8]) {
    let (key, pad) = block.split_first_chunk().unwrap_or((&[0; 32], &[]));
    (key, pad)
}

impl DryocStream {
    /// The key stream of that number: its first block is in the scratch, the others are to come.
    #[inline]
    fn begin(&self, scratch: &mut KeyStreamBlock, number: u64) -> SalsaCore<U10> {
        let nonce = number.to_be_bytes();
        let mut stream = SalsaCore::new((&*self.subkey).into(), (&nonce).into());
        stream.write_keystream_block((&mut *scratch.block).into());
        stream
    }
}

impl DirectionCipher for DryocStream {
    type Scratch = KeyStreamBlock;

    fn seal(&self, scratch: &mut KeyStreamBlock, number: u64, data: &mut [u8]) -> Tag {
        if data.len() > SEAL_SHORT_MAX {
            return self.key.seal(&short_nonce(&self.prefix, number), data);
        }
        let mut stream = self.begin(scratch, number);
        let (mac_key, pad) = halves(&scratch.block);
        apply(&mut stream, pad, data);
        let mut tag = Tag::default();
        crypto_onetimeauth(&mut tag, data, mac_key);
        tag
    }

    fn open(
        &self,
        scratch: &mut KeyStreamBlock,
        number: u64,
        tag: &Tag,
        data: &mut [u8],
    ) -> Result<(), Forged> {
        if data.len() > OPEN_SHORT_MAX {
            return self.key.open(&short_nonce(&self.prefix, number), tag, data);
        }
        let mut stream = self.begin(scratch, number);
        let (mac_key, pad) = halves(&scratch.block);
        crypto_onetimeauth(&mut scratch.tag, data, mac_key);
        let [came, right] = [*tag, *scratch.tag].map(u128::from_ne_bytes);
        if bool::from(came.ct_ne(&right)) {
            return Err(Forged);
        }
        apply(&mut stream, pad, data);
        Ok(())
    }
}

/// Encrypts or decrypts: with the second half of the first block, then with the blocks behind it.
#[inline]
fn apply(stream: &mut SalsaCore<U10>, pad: &[u8], data: &mut [u8]) {
    let (front, behind) = data.split_at_mut(data.len().min(pad.len()));
    xor(front, pad);
    if !behind.is_empty() {
        apply_blocks(stream, behind);
    }
}

fn apply_blocks(stream: &mut SalsaCore<U10>, data: &mut [u8]) {
    let mut block = Zeroizing::new([0; BLOCK_LEN]);
    for piece in data.chunks_mut(BLOCK_LEN) {
        stream.write_keystream_block((&mut *block).into());
        xor(piece, &*block);
    }
}

fn xor(data: &mut [u8], pad: &[u8]) {
    data.iter_mut().zip(pad).for_each(|(byte, pad)| *byte ^= pad);
}
