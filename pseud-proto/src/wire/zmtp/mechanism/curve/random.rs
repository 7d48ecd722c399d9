//! What a handshake draws, once and at its birth.

use crate::wire::zmtp::entropy::{Draw, Entropy};
use zeroize::Zeroizing;

/// Bytes of a cookie (RFC 26, WELCOME).
pub(crate) const COOKIE_LEN: usize = 96;

/// What a client's handshake draws.
pub(crate) struct ClientRandom {
    pub(crate) transient_key: Zeroizing<[u8; 32]>,
    pub(crate) vouch_nonce: [u8; 16],
}

impl From<&Entropy> for ClientRandom {
    fn from(entropy: &Entropy) -> Self {
        Self {
            transient_key: entropy.draw(Draw::TransientKey),
            vouch_nonce: *entropy.draw(Draw::LongNonce),
        }
    }
}

/// What a server's handshake draws.
pub(crate) struct ServerRandom {
    pub(crate) transient_key: Zeroizing<[u8; 32]>,
    pub(crate) welcome_nonce: [u8; 16],
    pub(crate) cookie: [u8; COOKIE_LEN],
}

impl From<&Entropy> for ServerRandom {
    fn from(entropy: &Entropy) -> Self {
        Self {
            transient_key: entropy.draw(Draw::TransientKey),
            welcome_nonce: *entropy.draw(Draw::LongNonce),
            cookie: *entropy.draw(Draw::Cookie),
        }
    }
}
