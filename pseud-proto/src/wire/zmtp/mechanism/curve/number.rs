//! The order of frames, by the numbers in their nonces.
//!
//! Each frame is sealed apart, so what holds the frames of a link together is that their numbers
//! have no gap: whoever deletes, doubles or swaps frames on their way needs no key for it, and could
//! splice one message out of several. RFC 26 says that a nonce must be new; libzmq 4.1 and 4.3
//! (`curve_client.cpp`, `curve_server.cpp`, `curve_mechanism_base.cpp`) count by one in each
//! direction and begin with 1: HELLO 1, INITIATE 2, the client's first MESSAGE 3; READY 1, the
//! server's first MESSAGE 2.

use crate::error::{Insecure, PeerError};

/// The number before a direction's first.
pub(crate) const NONE: u64 = 0;

/// Whether that number is the one that follows `last`. It is not proven yet: it is checked before its
/// box, which costs nothing, and becomes the last one once its box has opened.
pub(crate) fn follows(last: u64, number: u64) -> Result<(), PeerError> {
    match last.checked_add(1) {
        None => Err(Insecure::Exhausted.into()),
        Some(next) if number > next => Err(Insecure::Gap.into()),
        Some(next) if number < next => Err(Insecure::Replay.into()),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d_11_only_the_next_number_follows() {
        const MAX: u64 = u64::MAX;
        for (last, number, checked) in [
            (NONE, 1, Ok(())),
            (NONE, 0, Err(Insecure::Replay)),
            (NONE, 2, Err(Insecure::Gap)),
            (7, 8, Ok(())),
            (7, 9, Err(Insecure::Gap)),
            (7, MAX, Err(Insecure::Gap)),
            (7, 7, Err(Insecure::Replay)),
            (7, 6, Err(Insecure::Replay)),
            (7, 0, Err(Insecure::Replay)),
            (MAX - 1, MAX, Ok(())),
            (MAX, MAX, Err(Insecure::Exhausted)),
            (MAX, 0, Err(Insecure::Exhausted)),
        ] {
            assert_eq!(follows(last, number), checked.map_err(PeerError::from), "{last} {number}");
        }
    }
}
