//! The greeting (RFC 23 and RFC 37, "greeting"): 64 bytes each way, checked as early as they allow.
//!
//! Signature `FF`, 8 bytes of padding, `7F` | version (2) | mechanism (20, filled with zeros) | as-server (1) |
//! filler (31). libzmq sends its own in three pieces (`zmtp_engine.cpp`: 10 bytes, the major version, the
//! rest), each after it has seen the peer's piece before: so ours waits for nothing of the peer's.

use crate::auth::mechanism_name::MechanismName;
use crate::error::{Incompatible, Insecure, Malformed, PeerError};

/// How long a greeting is.
pub(crate) const GREETING_LEN: usize = 64;
const MAJOR: usize = 10;
const MINOR: usize = 11;
const MECHANISM: usize = 12;

/// Our whole greeting.
///
/// The padding is what libzmq puts there for ZMTP 1.0 peers (`zmtp_engine.cpp`): the identity's length and
/// one. RFC 37 has a receiver ignore it.
pub(crate) fn ours(
    identity: &[u8],
    mechanism: MechanismName,
    as_server: bool,
) -> [u8; GREETING_LEN] {
    let mut greeting = [0; GREETING_LEN];
    let padding = (identity.len() as u64).saturating_add(1).to_be_bytes();
    let signature = [0xff].into_iter().chain(padding).chain([0x7f]);
    let bytes = signature.chain([3, 1]).chain(mechanism.wire_name()).chain([u8::from(as_server)]);
    greeting.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte);
    greeting
}

/// The peer's greeting, as far as it came.
#[derive(Debug)]
pub(crate) struct Greeting {
    bytes: [u8; GREETING_LEN],
    len: usize,
}

impl Greeting {
    pub(crate) fn new() -> Self {
        Self { bytes: [0; GREETING_LEN], len: 0 }
    }

    /// Takes what belongs to the greeting from the front of `input` and says how much that was.
    pub(crate) fn take(&mut self, input: &[u8]) -> usize {
        let room = self.bytes.get_mut(self.len..).unwrap_or_default();
        let taken = room.len().min(input.len());
        room.iter_mut().zip(input).for_each(|(place, byte)| *place = *byte);
        self.len += taken;
        taken
    }

    /// Checks what has come so far: of the signature its first byte and the lowest bit of its last, as
    /// libzmq does (a peer of ZMTP 1.0 has that bit clear). Where a mechanism must be spoken, a peer that has none is not
    /// only strange: it would have us talk in clear. The padding and the as-server byte are never checked: libzmq
    /// always sends 0 for the latter, whichever side it is.
    pub(crate) fn check(&self, mechanism: MechanismName) -> Result<(), PeerError> {
        if self.byte(0).is_some_and(|byte| byte != 0xff)
            || self.byte(9).is_some_and(|byte| byte & 1 == 0)
        {
            return Err(without_mechanism(mechanism, Malformed::NotZmtp.into()));
        }
        if self.byte(MAJOR).is_some_and(|major| major < 3) {
            return Err(without_mechanism(mechanism, Incompatible::UnsupportedVersion.into()));
        }
        let named = self.came().get(MECHANISM..).unwrap_or_default();
        // RFC 37 knows no negotiation: both name the same mechanism in all 20 bytes, or the link closes
        // without an ERROR, as libzmq's does.
        if named.iter().zip(mechanism.wire_name()).any(|(theirs, ours)| *theirs != ours) {
            return Err(Incompatible::MechanismMismatch.into());
        }
        Ok(())
    }

    /// The mechanism that it names, as far as it came and escaped; `None` if nothing of that came.
    pub(crate) fn mechanism(&self) -> Option<String> {
        let named = self.came().get(MECHANISM..)?;
        let name = named.iter().take(20).take_while(|byte| **byte != 0);
        let name: Vec<u8> = name.copied().collect();
        (!named.is_empty()).then(|| name.escape_ascii().to_string())
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.len == GREETING_LEN
    }

    /// The minor version to speak: 0 to a 3.0 peer (RFC 23), 1 to all later ones, whatever they say. libzmq
    /// says 1 since 4.3.3, and takes a greeting of version 4 for one of 3.1.
    pub(crate) fn minor(&self) -> u8 {
        match (self.byte(MAJOR), self.byte(MINOR)) {
            (Some(3), Some(0)) => 0,
            _ => 1,
        }
    }

    fn came(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    fn byte(&self, index: usize) -> Option<u8> {
        self.came().get(index).copied()
    }
}

fn without_mechanism(ours: MechanismName, under_null: PeerError) -> PeerError {
    match ours {
        MechanismName::Null => under_null,
        _ => Insecure::Downgrade.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn came(bytes: &[u8]) -> Greeting {
        let mut greeting = Greeting::new();
        assert_eq!(greeting.take(bytes), bytes.len());
        greeting
    }

    #[test]
    fn ours_is_accepted_at_every_cut() {
        let ours = ours(b"server", MechanismName::Null, false);
        assert_eq!(&ours[..16], b"\xff\0\0\0\0\0\0\0\x07\x7f\x03\x01NULL");
        for cut in 0..=GREETING_LEN {
            let greeting = came(&ours[..cut]);
            assert_eq!(greeting.check(MechanismName::Null), Ok(()));
            assert_eq!(greeting.is_complete(), cut == GREETING_LEN);
        }
    }

    #[test]
    fn minor_versions() {
        for (version, minor) in
            [([3, 0], 0), ([3, 1], 1), ([3, 9], 1), ([4, 0], 1), ([255, 255], 1)]
        {
            let mut bytes = ours(b"", MechanismName::Null, false);
            bytes[10..12].copy_from_slice(&version);
            assert_eq!(came(&bytes).minor(), minor, "{version:?}");
        }
    }
}
