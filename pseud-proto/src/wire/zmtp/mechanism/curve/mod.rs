//! CURVE (RFC 25, RFC 26): HELLO, WELCOME, INITIATE, READY, then every frame is a MESSAGE.
//!
//! Long-term keys are `C` and `S`, those of one link `C'` and `S'`. A box between two keys is a tag
//! and what it proves; all boxes here are made in place, by `auth/keys`.
//!
//! | module | what it knows |
//! |---|---|
//! | `random` | what a handshake draws |
//! | `number` | which number may follow which |
//! | `client`, `server` | the handshake |
//! | `traffic` | frames behind it |

mod client;
mod number;
mod random;
mod server;
mod traffic;
#[cfg(test)]
mod vectors;

pub(crate) use crate::wire::zmtp::mechanism::curve::client::ClientHandshake;
pub(crate) use crate::wire::zmtp::mechanism::curve::server::{COOKIE_TIMEOUT, ServerHandshake};
pub(crate) use crate::wire::zmtp::mechanism::curve::traffic::{
    OVERHEAD, Opener, Scratch, Sealer, has_more,
};

use crate::auth::keys::cipher::{Boxes, Cipher, Nonce, TAG_LEN};
use crate::auth::keys::key::{PublicKey, SecretKey};
use crate::error::{Insecure, PeerError};
use zeroize::Zeroizing;

/// What the nonces of each command begin with (RFC 26): 16 bytes in front of a number of 8, or 8 bytes in front
/// of 16 random ones.
const HELLO_NONCE: [u8; 16] = *b"CurveZMQHELLO---";
const WELCOME_NONCE: [u8; 8] = *b"WELCOME-";
const INITIATE_NONCE: [u8; 16] = *b"CurveZMQINITIATE";
const VOUCH_NONCE: [u8; 8] = *b"VOUCH---";
const READY_NONCE: [u8; 16] = *b"CurveZMQREADY---";
const CLIENT_NONCE: [u8; 16] = *b"CurveZMQMESSAGEC";
const SERVER_NONCE: [u8; 16] = *b"CurveZMQMESSAGES";

/// HELLO's version 1.0 and its padding, which makes it longer than the WELCOME that answers it: a forged
/// source address gains nothing (RFC 26). Its prose says 70 bytes; its grammar and all peers have 72.
const HELLO_VERSION: [u8; 2] = [1, 0];
const HELLO_PADDING: [u8; 72] = [0; 72];
/// What HELLO's box holds: nothing but the proof that it opens.
const HELLO_CONTENT: [u8; 64] = [0; 64];
/// Two keys: `C'`, which is vouched for, and `S`, to whom (RFC 26).
const VOUCH_CONTENT_LEN: usize = 64;
const VOUCH_LEN: usize = 16 + TAG_LEN + VOUCH_CONTENT_LEN;

/// The key shared by theirs and ours (NaCl's `crypto_box_beforenm`). A weak key, of low order, gives the same
/// secret with any other, which everybody knows: it shares nothing, as libsodium has it.
fn agree(theirs: &PublicKey, ours: &SecretKey) -> Result<Boxes, PeerError> {
    if theirs.is_weak() {
        return Err(Insecure::WeakKey.into());
    }
    Boxes::agree(theirs.as_bytes(), ours.expose()).ok_or(Insecure::WeakKey.into())
}

/// Appends a box: its tag, then the sealed content, which is no longer than its place for long.
fn put_box(out: &mut Vec<u8>, key: &Boxes, nonce: &Nonce, content: &[&[u8]]) {
    let tag_at = out.len();
    out.extend_from_slice(&[0; TAG_LEN]);
    content.iter().for_each(|piece| out.extend_from_slice(piece));
    let place = out.get_mut(tag_at..).unwrap_or_default();
    if let Some((tag, data)) = place.split_first_chunk_mut() {
        *tag = key.seal(nonce, data);
    }
}

/// The content of a box.
fn open_box(sealed: &[u8], key: &Boxes, nonce: &Nonce) -> Result<Zeroizing<Vec<u8>>, PeerError> {
    let (tag, data) = sealed.split_first_chunk().ok_or(Insecure::Box)?;
    let mut data = Zeroizing::new(data.to_vec());
    key.open(nonce, tag, &mut data).map_err(|_| Insecure::Box)?;
    Ok(data)
}
