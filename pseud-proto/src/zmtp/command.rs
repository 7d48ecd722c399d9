//! Command bodies (ZMTP 3.1 §commands): name length (1) | name | data.

use crate::error::{Malformed, PeerError};

/// The longest PING context; what a peer sends beyond it is not echoed.
const CONTEXT_MAX: usize = 16;

/// A command's name and data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Command<'a> {
    pub(super) name: &'a [u8],
    pub(super) data: &'a [u8],
}

impl<'a> Command<'a> {
    /// Splits a command's body. An empty name, or one that leaves the body, is malformed.
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, PeerError> {
        let (len, rest) = body.split_first().ok_or(Malformed::BadCommand)?;
        let (name, data) = rest.split_at_checked(usize::from(*len)).ok_or(Malformed::BadCommand)?;
        if name.is_empty() {
            return Err(Malformed::BadCommand.into());
        }
        Ok(Self { name, data })
    }
}

/// Appends a command's name.
pub(super) fn put_name(out: &mut Vec<u8>, name: &'static str) {
    out.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(name.as_bytes());
}

/// A PING's data: ttl (2, tenths of a second) | context (0…16).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ping<'a> {
    pub(super) ttl_deciseconds: u16,
    /// To be echoed; cut to 16 bytes as libzmq cuts it.
    pub(super) context: &'a [u8],
}

impl<'a> Ping<'a> {
    pub(super) fn parse(data: &'a [u8]) -> Result<Self, PeerError> {
        let (ttl, context) = data.split_first_chunk().ok_or(Malformed::BadCommand)?;
        let context = context.get(..CONTEXT_MAX).unwrap_or(context);
        Ok(Self { ttl_deciseconds: u16::from_be_bytes(*ttl), context })
    }
}

/// A PING's body with an empty context, as libzmq sends it.
pub(super) fn ping(ttl_deciseconds: u16) -> Vec<u8> {
    let mut body = Vec::with_capacity(7);
    put_name(&mut body, "PING");
    body.extend_from_slice(&ttl_deciseconds.to_be_bytes());
    body
}

/// The body of the PONG for a PING with that context.
pub(super) fn pong(context: &[u8]) -> Vec<u8> {
    let mut body = Vec::with_capacity(5 + CONTEXT_MAX);
    put_name(&mut body, "PONG");
    body.extend_from_slice(context);
    body
}

/// An ERROR's body with that code as its reason. PLAIN spells its name differently.
pub(super) fn error(name: &'static str, code: u16) -> Vec<u8> {
    let mut body = Vec::with_capacity(9);
    put_name(&mut body, name);
    body.push(3);
    body.extend([100, 10, 1].map(|place| b'0' + (code / place % 10) as u8));
    body
}

/// An ERROR's reason as a number: where it is three digits, as `400`, else 0.
pub(super) fn error_code(data: &[u8]) -> Result<u16, PeerError> {
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
    fn ping_reads_back_and_its_context_is_cut() {
        let body = ping(150);
        let data = Command::parse(&body).unwrap().data;
        assert_eq!(Ping::parse(data), Ok(Ping { ttl_deciseconds: 150, context: b"" }));
        assert_eq!(Ping::parse(&[7; 200]).unwrap().context, [7; 16]);
        assert_eq!(Ping::parse(&[7]), Err(Malformed::BadCommand.into()));
    }

    #[test]
    fn error_codes() {
        assert_eq!(error("ERROR", 405), b"\x05ERROR\x03405");
        assert_eq!(error_code(b"\x03400"), Ok(400));
        assert_eq!(error_code(b"\x03abc"), Ok(0));
        assert_eq!(error_code(b"\x00"), Ok(0));
        assert_eq!(error_code(b"\x044000"), Ok(0));
        for data in [&b""[..], b"\x03", b"\x03400x", b"\x0440"] {
            assert_eq!(error_code(data), Err(Malformed::BadCommand.into()));
        }
    }
}
