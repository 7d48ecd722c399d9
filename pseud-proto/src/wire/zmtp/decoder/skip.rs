//! Frames that are passed over: the last one of a message, where that one alone is over a limit.

use super::{Decoder, Found};
use crate::error::PeerError;
use crate::message::frame::Header;
use crate::message::parts::Parts;
use crate::message::too_large::TooLarge;
use crate::wire::zmtp::config::ConnectionConfig;
use crate::wire::zmtp::input::{Input, Rules};
use bytes::Bytes;

/// No frame that announces more is waited for: nobody means it.
const SKIP_BYTES_MAX: u64 = u32::MAX as u64;

impl Decoder {
    /// From here on such frames are passed over.
    pub(crate) fn skip_too_large(&mut self) {
        self.skips = true;
    }

    /// What to tell of the frame with that header, which was refused for that.
    ///
    /// # Errors
    /// That same one, where the frame is not to be passed over. A sealed one's tag would be unread: it
    /// might be anybody's.
    pub(crate) fn may_skip(
        &self,
        header: Header,
        refused: PeerError,
        config: &ConnectionConfig,
    ) -> Result<TooLarge, PeerError> {
        let PeerError::TooLarge { what, size, max } = refused else { return Err(refused) };
        let is_open = self.skips && self.traffic && self.opener.is_none();
        let is_last = self.frames > 0 && !header.is_command() && !header.has_more();
        if !is_open || !is_last || header.size > SKIP_BYTES_MAX {
            return Err(refused);
        }
        self.check_frames(config)?;
        Ok(TooLarge { head: Parts::default(), what, size, max })
    }

    /// Tells of it; `head` holds the frames before it.
    pub(crate) fn begin_skip(
        &mut self,
        header: Header,
        head: Bytes,
        large: TooLarge,
        rules: &mut Rules<'_>,
    ) -> Found<'static> {
        let (first, more) = self.places();
        let head = Parts::placed(head, first, more);
        self.count(header, rules.stats);
        self.restart();
        self.header = None;
        self.partials = self.partials.wrapping_add(1);
        self.skipping = u32::try_from(header.size).unwrap_or(u32::MAX);
        Found::TooLarge(Box::new(TooLarge { head, ..large }))
    }

    /// What is partial: its number, and a count of bytes that grows with what has come of it.
    pub(crate) fn partial(&self) -> Option<(u64, u64)> {
        let left = SKIP_BYTES_MAX.saturating_sub(self.skipping.into());
        let came = left.saturating_add(self.pending.len() as u64);
        (!self.is_between_messages()).then_some((self.partials.into(), came))
    }

    /// Drops what came of a frame that is passed over; whether there is anything behind it yet.
    pub(crate) fn skip(&mut self, input: &mut Input<'_>) -> bool {
        if self.skipping == 0 {
            return true;
        }
        let count = usize::try_from(self.skipping).unwrap_or(usize::MAX);
        let skipped = input.take(count).len();
        self.skipping = self.skipping.saturating_sub(skipped as u32);
        self.partials = self.partials.wrapping_add(u32::from(self.skipping == 0));
        self.skipping == 0
    }
}
