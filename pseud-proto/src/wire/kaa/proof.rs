//! Challenges, salts and responses (`src/rpc.py`, `_get_rand_value` and `_get_challenge_response`: CRAM of
//! RFC 2195, with SHA-1 and a salt behind the secret).

use crate::base::secret::Secret;
use crate::base::side::Side;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Bytes of a challenge, a salt and a response each.
pub(crate) const PART: usize = 20;

/// Random bytes in a challenge of ours; the others are its mark.
pub(crate) const NONCE: usize = 10;

/// One of the three.
pub(crate) type Part = [u8; PART];

/// What an AUTH or RESP carries.
pub(crate) const PROOF_BYTES: usize = 3 * PART;

/// The payload of an AUTH or a RESP.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Proof {
    /// A challenge to whoever reads this; zeros for none.
    pub(crate) challenge: Part,
    pub(crate) response: Part,
    pub(crate) salt: Part,
}

impl Proof {
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (challenge, rest) = bytes.split_first_chunk()?;
        let (response, rest) = rest.split_first_chunk()?;
        let salt = rest.try_into().ok()?;
        Some(Self { challenge: *challenge, response: *response, salt })
    }

    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        for part in [&self.challenge, &self.response, &self.salt] {
            out.extend_from_slice(part);
        }
    }
}

/// `R(challenge, salt)`: HMAC-SHA1 under the key `secret ‖ salt`, of the challenge.
pub(crate) fn response(secret: &Secret, challenge: &Part, salt: &Part) -> Part {
    keyed(secret, salt, &[challenge])
}

/// Whether `shown` is that response; the comparison takes as long wherever they differ.
pub(crate) fn is_response(secret: &Secret, challenge: &Part, salt: &Part, shown: &Part) -> bool {
    response(secret, challenge, salt).ct_eq(shown).into()
}

/// What tells challenges of the two sides apart, in place of a salt: it is not as long as one, so that
/// no response is ever such a mark.
const MARK_KEY: &[u8] = b"pseud-challenge";

/// A challenge of that side: random bytes, and a mark by which whoever knows the secret sees which side
/// made it. A rogue server that has a client of this library answer what another of its clients (or
/// itself, on another link) was asked is found out by it: to anybody else all of it looks random.
pub(crate) fn challenge(secret: &Secret, side: Side, nonce: [u8; NONCE]) -> Part {
    let mut challenge = [0; PART];
    let (front, back) = challenge.split_at_mut(NONCE);
    front.copy_from_slice(&nonce);
    back.copy_from_slice(&mark(secret, side, &nonce));
    challenge
}

/// Whether a client or server of this library, of that side and with that secret, made the challenge.
pub(crate) fn is_made_by(secret: &Secret, side: Side, challenge: &Part) -> bool {
    let Some((nonce, shown)) = challenge.split_first_chunk::<NONCE>() else { return false };
    mark(secret, side, nonce).ct_eq(shown).into()
}

fn mark(secret: &Secret, side: Side, nonce: &[u8; NONCE]) -> [u8; PART - NONCE] {
    let side: &[u8] = match side {
        Side::Connecting => b"client",
        Side::Accepting => b"server",
    };
    let mut mark = [0; PART - NONCE];
    mark.iter_mut()
        .zip(keyed(secret, MARK_KEY, &[side, nonce]))
        .for_each(|(place, byte)| *place = byte);
    mark
}

fn keyed(secret: &Secret, salt: &[u8], message: &[&[u8]]) -> Part {
    let key = Zeroizing::new([secret.expose(), salt].concat());
    // HMAC takes a key of any length (RFC 2104 §2 hashes long ones), so this cannot fail; if it did, the
    // response would match nobody's.
    let Ok(mut hmac) = Hmac::<Sha1>::new_from_slice(&key) else { return [0; PART] };
    message.iter().for_each(|part| hmac.update(part));
    hmac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_tells_sides_and_secrets_apart() {
        let (secret, other) = (Secret::new("s3cret"), Secret::new("other"));
        let made = challenge(&secret, Side::Connecting, [7; NONCE]);
        assert!(is_made_by(&secret, Side::Connecting, &made));
        assert!(!is_made_by(&secret, Side::Accepting, &made));
        assert!(!is_made_by(&other, Side::Connecting, &made));
        assert!(!is_made_by(&secret, Side::Connecting, &[0; PART]));
    }

    #[test]
    fn n_04_a_response_is_wrong_in_any_byte() {
        let secret = Secret::new("s3cret");
        let right = response(&secret, &[1; PART], &[2; PART]);
        assert!(is_response(&secret, &[1; PART], &[2; PART], &right));
        for at in 0..PART {
            let mut wrong = right;
            wrong[at] ^= 1;
            assert!(!is_response(&secret, &[1; PART], &[2; PART], &wrong), "byte {at}");
        }
    }

    #[derive(serde::Deserialize)]
    struct Recorded {
        vectors: Vec<Vector>,
    }

    #[derive(serde::Deserialize)]
    struct Vector {
        name: String,
        kind: String,
        hex: serde_json::Value,
        meaning: serde_json::Value,
    }

    /// What was recorded from kaa-base 0.99.2dev, of that kind.
    fn recorded(kind: &str) -> Vec<Vector> {
        let all = include_str!("../../../tests/vectors/kaa.json");
        let all: Recorded = serde_json::from_str(all).unwrap();
        all.vectors.into_iter().filter(|vector| vector.kind == kind).collect()
    }

    fn unhex(hex: &serde_json::Value) -> Vec<u8> {
        let hex = hex.as_str().unwrap();
        let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (0..hex.len()).step_by(2).map(byte).collect()
    }

    #[test]
    fn responses_are_the_references() {
        let all = recorded("auth-digest");
        for Vector { name, hex, meaning, .. } in &all {
            let [challenge, salt] = ["challenge", "salt"]
                .map(|part| unhex(&meaning[part]).try_into().unwrap_or_else(|_| panic!("{name}")));
            let shown = response(&Secret::new(unhex(&meaning["secret"])), &challenge, &salt);
            assert_eq!(shown, unhex(hex)[..], "{name}");
        }
        assert_eq!(all.len(), 14);
    }

    /// The handshakes of whole conversations that were recorded: each RESP answers the challenge before it.
    #[test]
    fn recorded_handshakes_are_right() {
        let (mut asked, mut right) = ([0; PART], 0);
        for Vector { name, hex, .. } in recorded("packet") {
            let secret = match name.split('/').nth(2) {
                Some("session") => "s3cret",
                Some("push" | "concurrent") => "x",
                Some("bad-secret") => "wrong",
                _ => "",
            };
            let is_auth = name.ends_with("-AUTH");
            if !is_auth && !name.ends_with("-RESP") {
                continue;
            }
            let proof = Proof::read(&unhex(&hex)[12..]).unwrap();
            if !is_auth {
                let secret = Secret::new(secret);
                assert!(is_response(&secret, &asked, &proof.salt, &proof.response), "{name}");
                right += 1;
            }
            asked = proof.challenge;
        }
        assert_eq!(right, 18);
    }
}
