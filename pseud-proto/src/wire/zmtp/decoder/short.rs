//! Short parts of a message in clear, which most messages are made of: one look at each.

use super::Decoder;
use crate::wire::zmtp::config::ConnectionConfig;
use crate::wire::zmtp::decoder::limits::MESSAGE_BYTES_MAX;
use crate::wire::zmtp::frame::Header;

impl Decoder {
    /// Takes the message's first parts, as far as each is short, whole, and within all limits; whether
    /// that was the whole message. All else, and what is behind the usual number of parts, is left where
    /// it is, to be checked.
    #[inline]
    pub(crate) fn scan_short(&mut self, bytes: &[u8], config: &ConnectionConfig) -> bool {
        let limits = &config.limits;
        let message_bytes_max = limits.message_bytes_max.min(MESSAGE_BYTES_MAX);
        let frames_max = limits.frames_max;
        let (mut cursor, mut body_bytes) = (0, 0);
        for (index, range) in self.ranges.iter_mut().take(frames_max).enumerate() {
            let rest = bytes.get(cursor..).unwrap_or_default();
            let Some((has_more, size)) = Header::short_part(rest) else { return false };
            let size = usize::from(size);
            body_bytes += size;
            let (start, end) = (cursor + 2, cursor + 2 + size);
            if end > bytes.len() || size > limits.frame_bytes_max || body_bytes > message_bytes_max
            {
                return false;
            }
            *range = start as u32..end as u32;
            cursor = end;
            (self.cursor, self.frames, self.body_bytes) = (end, index + 1, body_bytes as u64);
            if !has_more {
                return true;
            }
        }
        false
    }
}
