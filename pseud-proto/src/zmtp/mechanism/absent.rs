//! What stands for CURVE's two directions where no cipher is compiled in: nothing.

use super::Inner;
use crate::error::PeerError;
use crate::zmtp::frame::Kind;

/// Bytes of a sealed frame's body before its payload.
pub(in crate::zmtp) const OVERHEAD: usize = 0;

/// Never made.
pub(in crate::zmtp) enum Sealer {}

/// Never made.
pub(in crate::zmtp) enum Opener {}

impl Sealer {
    pub(in crate::zmtp) fn has_left(&self, _frames: usize) -> bool {
        match *self {}
    }

    pub(in crate::zmtp) fn seal(&mut self, _out: &mut Vec<u8>, _kind: Kind, _pieces: &[&[u8]]) {
        match *self {}
    }
}

impl Opener {
    pub(in crate::zmtp) fn open(&mut self, _body: &mut [u8]) -> Result<Inner, PeerError> {
        match *self {}
    }
}
