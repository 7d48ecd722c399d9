//! The rules of ZMTP 3.1 behind the handshake, written a second time and without any buffer: frame by
//! frame, what a link must deliver, count and answer, and which frame must end it.

use pseud_proto::PeerError;
use pseud_proto::zmtp::{ConnectionStats, FrameLimits};
use pseud_proto::{Malformed, Misbehaved};
use pseud_testkit::connection::Seen;
use pseud_testkit::raw::{COMMAND, command};

/// What must have come out of the frames so far.
#[derive(Default)]
pub(crate) struct Rules {
    pub(crate) limits: FrameLimits,
    pub(crate) is_strict: bool,
    parts: Vec<Vec<u8>>,
    size: u64,
    commands: u32,
    pub(crate) messages: Vec<Seen>,
    /// The PONGs that answer the PINGs, each a frame.
    pub(crate) pongs: Vec<Vec<u8>>,
    pub(crate) stats: ConnectionStats,
}

impl Rules {
    pub(crate) fn new(is_strict: bool, limits: FrameLimits) -> Self {
        Self { is_strict, limits, ..Self::default() }
    }

    pub(crate) fn is_between_messages(&self) -> bool {
        self.parts.is_empty()
    }

    /// Judges the header of a frame in clear.
    pub(crate) fn header(&self, flags: u8, size: u64) -> Result<(), PeerError> {
        self.regular(flags)?;
        if flags & COMMAND != 0 {
            return within(size, self.limits.command_bytes_max);
        }
        self.sizes(size)?;
        within(self.parts.len() as u64 + 1, self.limits.frames_max)
    }

    /// Judges the header of a sealed frame, which does not show what it is.
    pub(crate) fn sealed_header(&self, flags: u8, size: u64) -> Result<(), PeerError> {
        self.regular(flags)?;
        self.sizes(size)
    }

    fn regular(&self, flags: u8) -> Result<(), PeerError> {
        if self.is_strict && is_irregular(flags) {
            Err(Malformed::ReservedFlag.into())
        } else {
            Ok(())
        }
    }

    fn sizes(&self, size: u64) -> Result<(), PeerError> {
        within(size, self.limits.frame_bytes_max)?;
        within(self.size + size, self.limits.message_bytes_max)
    }

    /// Counts a whole frame.
    pub(crate) fn count(&mut self, flags: u8) {
        self.stats.reserved_flags += u32::from(is_irregular(flags));
    }

    /// Takes a part of a message.
    pub(crate) fn part(&mut self, has_more: bool, body: &[u8]) -> Result<(), PeerError> {
        within(self.parts.len() as u64 + 1, self.limits.frames_max)?;
        self.parts.push(body.to_vec());
        self.size += body.len() as u64;
        if !has_more {
            self.messages.push(Seen::Message(std::mem::take(&mut self.parts)));
            self.size = 0;
        }
        Ok(())
    }

    /// Takes a command: name length (1) | name | data.
    pub(crate) fn command(&mut self, body: &[u8]) -> Result<(), PeerError> {
        within(body.len() as u64, self.limits.command_bytes_max)?;
        let (name, data) = name(body).ok_or(Malformed::BadCommand)?;
        self.commands += 1;
        if self.commands > self.limits.flood.burst {
            return Err(Misbehaved::Flood.into());
        }
        match name {
            b"PING" => {
                let context = data.get(2..).ok_or(Malformed::BadCommand)?;
                self.stats.pings += 1;
                self.pongs.push(command("PONG", &context[..context.len().min(16)]));
            }
            b"PONG" => self.stats.pongs += 1,
            b"SUBSCRIBE" | b"CANCEL" => self.stats.subscriptions += 1,
            b"READY" | b"ERROR" => self.stats.late_commands += 1,
            _ => self.stats.unknown_commands += 1,
        }
        Ok(())
    }
}

/// A command's name and data. `^RROR` is what libzmq's PLAIN says for `\x05ERROR`.
fn name(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let len = usize::from(*body.first()?);
    match body[1..].split_at_checked(len) {
        Some((name, data)) => (len > 0).then_some((name, data)),
        None if body.starts_with(b"^RROR") => Some((b"^RROR", &body[5..])),
        None => None,
    }
}

/// A reserved bit, or MORE on a command.
fn is_irregular(flags: u8) -> bool {
    flags & 0xf8 != 0 || flags & 0x05 == 0x05
}

fn within(size: u64, max: usize) -> Result<(), PeerError> {
    let max = max as u64;
    if size <= max { Ok(()) } else { Err(PeerError::TooLarge { what: "", size, max }) }
}

/// Whether both are the same fault, whatever is said to be too large.
pub(crate) fn same(ours: Option<PeerError>, theirs: Option<PeerError>) -> bool {
    let unnamed = |error| match error {
        PeerError::TooLarge { size, max, .. } => PeerError::TooLarge { what: "", size, max },
        error => error,
    };
    ours.map(unnamed) == theirs.map(unnamed)
}
