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
use salsa20::cipher::{KeyIvInit, StreamCipherCore, StreamCipherSeekCore};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The largest data that the short way seals faster.
const SEAL_SHORT_MAX: usize = 96;
/// The same for opening.
const OPEN_SHORT_MAX: usize = 192;
/// Bytes of a block of key stream.
const BLOCK_LEN: usize = 64;
/// Bytes of the first one behind the tag's key: they cover the data's first.
const PAD_LEN: usize = 32;

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
fn halves(block: &[u8; BLOCK_LEN]) -> (&KeyBytes, &[u8; PAD_LEN]) {
    let key = block.first_chunk().unwrap_or(&[0; 32]);
    let pad = block.last_chunk().unwrap_or(&[0; PAD_LEN]);
    (key, pad)
}

impl DryocStream {
    /// The key stream of that number.
    #[inline]
    fn key_stream(&self, number: u64) -> SalsaCore<U10> {
        SalsaCore::new((&*self.subkey).into(), (&number.to_be_bytes()).into())
    }

    /// Puts the first block of a number's key stream into the scratch. Most boxes need no other, so the
    /// stream itself never leaves the registers.
    #[inline(always)]
    fn begin(&self, scratch: &mut KeyStreamBlock, number: u64) {
        self.key_stream(number).write_keystream_block((&mut *scratch.block).into());
    }

    /// Encrypts or decrypts: with the second half of the first block, then with the blocks behind it.
    #[inline(always)]
    fn apply(&self, number: u64, pad: &[u8; PAD_LEN], data: &mut [u8]) {
        match data.split_first_chunk_mut() {
            Some((front, behind)) => {
                xor::<PAD_LEN>(front, pad);
                self.apply_blocks(number, behind);
            }
            None => xor_short(data, pad),
        }
    }

    /// The same with the blocks behind the first.
    #[inline(never)]
    fn apply_blocks(&self, number: u64, data: &mut [u8]) {
        if data.is_empty() {
            return;
        }
        let mut stream = self.key_stream(number);
        stream.set_block_pos(1);
        let mut block = Zeroizing::new([0; BLOCK_LEN]);
        let (whole, rest) = data.as_chunks_mut();
        for piece in whole {
            stream.write_keystream_block((&mut *block).into());
            xor::<BLOCK_LEN>(piece, &block);
        }
        if !rest.is_empty() {
            stream.write_keystream_block((&mut *block).into());
            rest.iter_mut().zip(&*block).for_each(|(byte, pad)| *byte ^= pad);
        }
    }
}

impl DirectionCipher for DryocStream {
    type Scratch = KeyStreamBlock;

    fn seal(&self, scratch: &mut KeyStreamBlock, number: u64, data: &mut [u8]) -> Tag {
        if data.len() > SEAL_SHORT_MAX {
            return self.key.seal(&short_nonce(&self.prefix, number), data);
        }
        self.begin(scratch, number);
        let (mac_key, pad) = halves(&scratch.block);
        self.apply(number, pad, data);
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
        self.begin(scratch, number);
        let (mac_key, pad) = halves(&scratch.block);
        crypto_onetimeauth(&mut scratch.tag, data, mac_key);
        let [came, right] = [*tag, *scratch.tag].map(u128::from_ne_bytes);
        if bool::from(came.ct_ne(&right)) {
            return Err(Forged);
        }
        self.apply(number, pad, data);
        Ok(())
    }
}

#[inline]
fn xor<const LEN: usize>(data: &mut [u8; LEN], pad: &[u8; LEN]) {
    data.iter_mut().zip(pad).for_each(|(byte, pad)| *byte ^= pad);
}

/// For less than the pad: by words, then by bytes. In line it takes registers from the key stream's rounds.
#[inline(never)]
fn xor_short(data: &mut [u8], pad: &[u8; PAD_LEN]) {
    let (words, bytes) = data.as_chunks_mut::<8>();
    let mut pad = &pad[..];
    for word in words {
        let Some((front, behind)) = pad.split_first_chunk() else { return };
        xor::<8>(word, front);
        pad = behind;
    }
    for (byte, pad) in bytes.iter_mut().zip(pad) {
        *byte ^= pad;
    }
}
