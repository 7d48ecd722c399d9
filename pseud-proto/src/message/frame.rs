//! The frame header (RFC 37, "traffic"): flags, then a size of 1 byte, or of 8 in network order if LONG.

/// Another frame of the same message follows.
pub(crate) const MORE: u8 = 0x01;
/// The size has 8 bytes.
const LONG: u8 = 0x02;
/// The body is a command, not a part of a message.
const COMMAND: u8 = 0x04;
/// Bits 3 to 7 must be zero (RFC 37). libzmq lets them pass (`v2_decoder.cpp`).
const RESERVED: u8 = !(MORE | LONG | COMMAND);

/// The longest header: flags and 8 bytes of size.
pub(crate) const HEADER_MAX: usize = 9;
/// The largest size that has the short form. A sender must use it there (RFC 37); libzmq reads a long
/// header of a small size as well, and so do we.
pub(crate) const SHORT_MAX: usize = 0xff;

/// A decoded header. Its size was not checked yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    flags: u8,
    /// Whether its size has eight bytes: `flags` says so too, but a `bool` leaves room for `None`.
    is_long: bool,
    /// Bytes of the body.
    pub(crate) size: u64,
}

impl Header {
    /// The short part of a message at the start of `bytes`, if that is what begins there: whether another
    /// one follows, and its size.
    #[inline]
    pub(crate) fn short_part(bytes: &[u8]) -> Option<(bool, u8)> {
        match bytes {
            [flags @ (0 | MORE), size, ..] => Some((*flags == MORE, *size)),
            _ => None,
        }
    }

    /// The header at the start of `bytes`, once it is whole.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [flags, size, ..] if flags & LONG == 0 => {
                Some(Self { flags: *flags, is_long: false, size: u64::from(*size) })
            }
            [flags, rest @ ..] if flags & LONG != 0 => {
                let size = u64::from_be_bytes(*rest.first_chunk()?);
                Some(Self { flags: *flags, is_long: true, size })
            }
            _ => None,
        }
    }

    /// How many bytes the header itself has, if it begins with those.
    pub(crate) fn len_of(bytes: &[u8]) -> usize {
        match bytes.first() {
            Some(flags) if flags & LONG != 0 => HEADER_MAX,
            _ => 2,
        }
    }

    /// Its own length.
    pub(crate) fn len(self) -> usize {
        if self.is_long { HEADER_MAX } else { 2 }
    }

    /// Bytes of the whole frame.
    pub(crate) fn frame_bytes(self) -> u64 {
        self.size.saturating_add(self.len() as u64)
    }

    pub(crate) fn is_command(self) -> bool {
        self.flags & COMMAND != 0
    }

    pub(crate) fn has_more(self) -> bool {
        self.flags & MORE != 0
    }

    /// Whether it sets what must be zero by RFC 37: a reserved bit, or MORE on a command. libzmq takes both.
    pub(crate) fn is_irregular(self) -> bool {
        self.flags & RESERVED != 0 || self.flags & (COMMAND | MORE) == COMMAND | MORE
    }
}

/// What a frame is, for writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FrameKind {
    /// A part with others behind it.
    More,
    /// The last part of a message.
    Last,
    /// A command.
    Command,
}

/// Appends the header of a frame with a body of `size` bytes: short where it fits.
#[inline]
pub(crate) fn put_header(out: &mut Vec<u8>, kind: FrameKind, size: usize) {
    let flags = match kind {
        FrameKind::More => MORE,
        FrameKind::Last => 0,
        FrameKind::Command => COMMAND,
    };
    match u8::try_from(size) {
        Ok(size) => out.extend_from_slice(&[flags, size]),
        Err(_) => put_long(out, flags, size),
    }
}

fn put_long(out: &mut Vec<u8>, flags: u8, size: usize) {
    debug_assert!(size > SHORT_MAX);
    out.push(flags | LONG);
    out.extend_from_slice(&(size as u64).to_be_bytes());
}

/// Appends a whole frame.
#[inline]
pub(crate) fn put_frame(out: &mut Vec<u8>, kind: FrameKind, body: &[u8]) {
    put_header(out, kind, body.len());
    out.extend_from_slice(body);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_inverts_encoding() {
        for (kind, flags) in
            [(FrameKind::More, MORE), (FrameKind::Last, 0), (FrameKind::Command, COMMAND)]
        {
            for size in [0, 1, 254, 255, 256, 65_536, usize::MAX] {
                let mut bytes = Vec::new();
                put_header(&mut bytes, kind, size);
                let header = Header::decode(&bytes).unwrap();
                assert_eq!((header.flags & !LONG, header.size), (flags, size as u64));
                assert_eq!((header.len(), Header::len_of(&bytes)), (bytes.len(), bytes.len()));
                assert!(!header.is_irregular());
                assert!((0..bytes.len()).all(|cut| Header::decode(&bytes[..cut]).is_none()));
            }
        }
    }

    #[test]
    fn the_long_form_of_a_small_size_is_the_same_frame() {
        let header = Header::decode(&[LONG, 0, 0, 0, 0, 0, 0, 0, 3]).unwrap();
        assert_eq!((header.size, header.len()), (3, 9));
    }
}
