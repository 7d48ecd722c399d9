//! What a peer's frames may weigh, checked as early as they show it.

use super::Decoder;
use crate::error::{Malformed, Misbehaved, PeerError};
use crate::message::frame::Header;
use crate::message::parts::Parts;
use crate::wire::zmtp::config::ConnectionConfig;
use crate::wire::zmtp::decoder::whole::within;

/// Ranges of a message have 32 bits, and its buffer holds its headers as well.
pub(crate) const MESSAGE_BYTES_MAX: usize = u32::MAX as usize - 64 * 1024;

impl Decoder {
    /// Judges a header before its body is awaited.
    pub(crate) fn check(&self, header: Header, config: &ConnectionConfig) -> Result<(), PeerError> {
        let limits = &config.limits;
        if config.strict && header.is_irregular() {
            return Err(Malformed::ReservedFlag.into());
        }
        // A sealed frame says inside what it is (RFC 26: flags are the first byte of a MESSAGE's box); its outer
        // flags are not proven.
        if header.is_command() && self.opener.is_none() {
            within("command bytes", header.size, limits.command_bytes_max)?;
            return self.check_handshake(header, config);
        }
        let message_bytes_max = limits.message_bytes_max.min(MESSAGE_BYTES_MAX);
        let message_bytes = u64::from(self.body_bytes).saturating_add(header.size);
        within("frame bytes", header.size, limits.frame_bytes_max)?;
        within("message bytes", message_bytes, message_bytes_max)?;
        if self.opener.is_none() {
            self.check_frames(config)?;
        }
        if self.traffic { Ok(()) } else { Err(Misbehaved::EarlyMessage.into()) }
    }

    /// Judges whether the message may have one frame more.
    pub(crate) fn check_frames(&self, config: &ConnectionConfig) -> Result<(), PeerError> {
        let max = config.limits.frames_max.min(Parts::MAX);
        within("frames of a message", u64::from(self.frames) + 1, max)
    }

    fn check_handshake(&self, header: Header, config: &ConnectionConfig) -> Result<(), PeerError> {
        if self.traffic {
            return Ok(());
        }
        let bytes = u64::from(self.handshake_bytes).saturating_add(header.frame_bytes());
        within("handshake bytes", bytes, config.limits.handshake_bytes_max)
    }
}
