//! What stands for CURVE's two directions where no cipher is compiled in: nothing.

use crate::error::PeerError;
use crate::message::frame::FrameKind;
use crate::wire::zmtp::mechanism::inner::InnerFlags;

/// Bytes of a sealed frame's body before its payload.
pub(crate) const OVERHEAD: usize = 0;

/// Nothing is needed for nothing.
#[derive(Default)]
pub(crate) struct Scratch(());

/// Never made.
pub(crate) enum Sealer {}

/// Never made.
pub(crate) enum Opener {}

/// No frame was ever opened.
pub(crate) fn has_more(_body: &[u8]) -> Option<bool> {
    None
}

impl Sealer {
    pub(crate) fn has_left(&self, _frames: usize) -> bool {
        match *self {}
    }

    pub(crate) fn seal(
        &mut self,
        _scratch: &mut Scratch,
        _out: &mut Vec<u8>,
        _kind: FrameKind,
        _pieces: &[&[u8]],
    ) {
        match *self {}
    }

    pub(crate) fn seal_short(
        &mut self,
        _scratch: &mut Scratch,
        _out: &mut Vec<u8>,
        _has_more: bool,
        _payload: &[u8],
    ) {
        match *self {}
    }
}

impl Opener {
    pub(crate) fn open(&mut self, _body: &mut [u8]) -> Result<InnerFlags, PeerError> {
        match *self {}
    }

    pub(crate) fn rest(&mut self) {
        match *self {}
    }
}
