//! Whole frames: opened where they lie, and commands out of them.

use crate::error::PeerError;
use crate::message::frame::Header;
use crate::wire::zmtp::config::ConnectionConfig;
use crate::wire::zmtp::mechanism::{InnerFlags, OVERHEAD, Opener};

/// A whole frame, opened if it was sealed.
pub(crate) struct Whole {
    /// Bytes before its payload.
    pub(crate) lead: usize,
    pub(crate) is_command: bool,
    pub(crate) has_more: bool,
}

/// Opens a whole frame in its place, where traffic is encrypted.
pub(crate) fn open(
    opener: &mut Option<Box<Opener>>,
    header: Header,
    frame: &mut [u8],
) -> Result<Whole, PeerError> {
    let Some(opener) = opener else {
        let (is_command, has_more) = (header.is_command(), header.has_more());
        return Ok(Whole { lead: header.len(), is_command, has_more });
    };
    let body = frame.get_mut(header.len()..).unwrap_or_default();
    let InnerFlags { is_command, has_more } = opener.open(body)?;
    Ok(Whole { lead: header.len().saturating_add(OVERHEAD), is_command, has_more })
}

/// A command's body.
pub(crate) fn command_of(
    frame: &[u8],
    whole: Whole,
    config: &ConnectionConfig,
) -> Result<Vec<u8>, PeerError> {
    let body = frame.get(whole.lead..).unwrap_or_default();
    within("command bytes", body.len() as u64, config.limits.command_bytes_max)?;
    Ok(body.to_vec())
}

/// Judges a size that a peer announced.
pub(crate) fn within(what: &'static str, size: u64, max: usize) -> Result<(), PeerError> {
    let max = max as u64;
    if size <= max { Ok(()) } else { Err(PeerError::TooLarge { what, size, max }) }
}
