//! Command bodies (RFC 37, "commands"): name length (1) | name | data.

use crate::error::{Malformed, PeerError};

/// The longest context of a PING (RFC 37: 0 to 16 bytes); what a peer sends beyond it is not echoed.
const CONTEXT_MAX: usize = 16;

/// What a libzmq server of PLAIN sends where `\x05ERROR` was meant, since 4.3.0: `\x05E` in its source
/// is the one character `^`. Its clients know no other spelling.
pub(crate) const LIBZMQ_ERROR: &[u8] = b"^RROR";

/// A command's name and data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Command<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) data: &'a [u8],
}

impl<'a> Command<'a> {
    /// Splits a command's body. An empty name, or one that leaves the body, is malformed.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, PeerError> {
        let (len, rest) = body.split_first().ok_or(Malformed::BadCommand)?;
        let Some((name, data)) = rest.split_at_checked(usize::from(*len)) else {
            return Self::parse_slip(body).ok_or(Malformed::BadCommand.into());
        };
        if name.is_empty() {
            return Err(Malformed::BadCommand.into());
        }
        Ok(Self { name, data })
    }

    /// A PLAIN ERROR as libzmq spells it. Its first byte would be the length of a long name, but no
    /// such name follows.
    fn parse_slip(body: &'a [u8]) -> Option<Self> {
        let (name, data) = body.split_at_checked(LIBZMQ_ERROR.len())?;
        (name == LIBZMQ_ERROR).then_some(Self { name, data })
    }
}

/// Appends a command's name.
pub(crate) fn put_name(out: &mut Vec<u8>, name: &'static str) {
    out.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(name.as_bytes());
}

/// A PING's data (RFC 37): ttl (2, tenths of a second) | context (0…16). One without a ttl is malformed: to
/// such a one libzmq 4.3 answers with what lies behind it in its memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ping<'a> {
    pub(crate) ttl_deciseconds: u16,
    /// To be echoed; cut to 16 bytes as libzmq cuts it.
    pub(crate) context: &'a [u8],
}

impl<'a> Ping<'a> {
    pub(crate) fn parse(data: &'a [u8]) -> Result<Self, PeerError> {
        let (ttl, context) = data.split_first_chunk().ok_or(Malformed::BadCommand)?;
        let context = context.get(..CONTEXT_MAX).unwrap_or(context);
        Ok(Self { ttl_deciseconds: u16::from_be_bytes(*ttl), context })
    }
}

/// A PING's body with an empty context, as libzmq sends it.
pub(crate) fn ping(ttl_deciseconds: u16) -> Vec<u8> {
    let mut body = Vec::with_capacity(7);
    put_name(&mut body, "PING");
    body.extend_from_slice(&ttl_deciseconds.to_be_bytes());
    body
}

/// The body of the PONG for a PING with that context.
pub(crate) fn pong(context: &[u8]) -> Vec<u8> {
    let mut body = Vec::with_capacity(5 + CONTEXT_MAX);
    put_name(&mut body, "PONG");
    body.extend_from_slice(context);
    body
}

/// An ERROR's body with that code as its reason.
pub(crate) fn error(code: u16) -> Vec<u8> {
    let mut body = Vec::with_capacity(10);
    put_name(&mut body, "ERROR");
    put_reason(&mut body, code);
    body
}

/// The same as libzmq's PLAIN clients know it.
pub(crate) fn libzmq_error(code: u16) -> Vec<u8> {
    let mut body = LIBZMQ_ERROR.to_vec();
    put_reason(&mut body, code);
    body
}

fn put_reason(out: &mut Vec<u8>, code: u16) {
    out.push(3);
    out.extend([100, 10, 1].map(|place| b'0' + (code / place % 10) as u8));
}

/// An ERROR's reason as a number: where it is three digits, as `400`, else 0.
pub(crate) fn error_code(data: &[u8]) -> Result<u16, PeerError> {
    let (len, reason) = data.split_first().ok_or(Malformed::BadCommand)?;
    if reason.len() != usize::from(*len) {
        return Err(Malformed::BadCommand.into());
    }
    let digits = reason.len() == 3 && reason.iter().all(u8::is_ascii_digit);
    let value = |code: u16, digit: &u8| code * 10 + u16::from(digit - b'0');
    Ok(if digits { reason.iter().fold(0, value) } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_must_be_there_and_inside() {
        assert_eq!(Command::parse(b"\x04PINGxy"), Ok(Command { name: b"PING", data: b"xy" }));
        for body in [&b""[..], b"\0", b"\0PING", b"\x05PING", b"\xff"] {
            assert_eq!(Command::parse(body), Err(Malformed::BadCommand.into()));
        }
    }

    #[test]
    fn libzmqs_slip_is_a_name_of_its_own() {
        let slip = Command { name: b"^RROR", data: b"\x03400" };
        assert_eq!(Command::parse(b"^RROR\x03400"), Ok(slip));
        assert_eq!(Command::parse(b"^RROR"), Ok(Command { data: b"", ..slip }));
        assert_eq!(Command::parse(b"^RRO"), Err(Malformed::BadCommand.into()));
        let long = [&b"^RROR"[..], &[b'x'; 94]].concat();
        assert_eq!(Command::parse(&long).unwrap().name.len(), 94);
    }

    #[test]
    fn ping_reads_back_and_its_context_is_cut() {
        let body = ping(150);
        let data = Command::parse(&body).unwrap().data;
        assert_eq!(Ping::parse(data), Ok(Ping { ttl_deciseconds: 150, context: b"" }));
        assert_eq!(Ping::parse(&[7; 200]).unwrap().context, [7; 16]);
        assert_eq!(Ping::parse(&[7]), Err(Malformed::BadCommand.into()));
    }

    #[test]
    fn error_codes() {
        assert_eq!(error(405), b"\x05ERROR\x03405");
        assert_eq!(libzmq_error(400), b"^RROR\x03400");
        assert_eq!(error_code(b"\x03400"), Ok(400));
        assert_eq!(error_code(b"\x03abc"), Ok(0));
        assert_eq!(error_code(b"\x00"), Ok(0));
        assert_eq!(error_code(b"\x044000"), Ok(0));
        for data in [&b""[..], b"\x03", b"\x03400x", b"\x0440"] {
            assert_eq!(error_code(data), Err(Malformed::BadCommand.into()));
        }
    }
}
