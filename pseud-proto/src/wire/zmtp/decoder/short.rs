//! Short parts of a message in clear, which most messages are made of: one look at each.

use super::Decoder;
use crate::message::frame::{Header, SHORT_MAX};
use crate::message::parts::USUAL;
use crate::wire::zmtp::config::ConnectionConfig;
use crate::wire::zmtp::decoder::limits::MESSAGE_BYTES_MAX;

impl Decoder {
    /// Takes the message's first parts, as far as each is short, whole, and within all limits; whether
    /// that was the whole message. All else, and what is behind the usual number of parts, is left where
    /// it is, to be checked.
    #[inline]
    pub(crate) fn scan_short(&mut self, bytes: &[u8], config: &ConnectionConfig) -> bool {
        let limits = &config.limits;
        let message_bytes_max = limits.message_bytes_max.min(MESSAGE_BYTES_MAX);
        if limits.frame_bytes_max < SHORT_MAX || message_bytes_max < USUAL * SHORT_MAX {
            return false;
        }
        let (mut cursor, mut frames, mut is_whole) = (0, 0, false);
        for place in self.first.iter_mut().take(limits.frames_max) {
            let rest = bytes.get(cursor..).unwrap_or_default();
            let Some((has_more, size)) = Header::short_part(rest) else { break };
            let (start, end) = (cursor + 2, cursor + 2 + usize::from(size));
            if end > bytes.len() {
                break;
            }
            *place = (start as u32, end as u32);
            (cursor, frames) = (end, frames + 1);
            if !has_more {
                is_whole = true;
                break;
            }
        }
        (self.cursor, self.frames) = (cursor, frames);
        self.body_bytes = (cursor - 2 * frames) as u64;
        is_whole
    }
}
