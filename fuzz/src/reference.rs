//! A second opinion on ZMTP 3.1 §framing: flags, a size of 1 byte or of 8, and a body.

use pseud_testkit::raw::LONG;

/// A frame's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) flags: u8,
    pub(crate) size: u64,
    pub(crate) len: usize,
}

/// The header that `bytes` begin with, if it is whole.
pub(crate) fn header(bytes: &[u8]) -> Option<Header> {
    let flags = *bytes.first()?;
    if flags & LONG == 0 {
        return Some(Header { flags, size: u64::from(*bytes.get(1)?), len: 2 });
    }
    let size = bytes.get(1..9)?.iter().fold(0, |size, byte| size << 8 | u64::from(*byte));
    Some(Header { flags, size, len: 9 })
}

/// A whole frame.
pub(crate) struct Frame<'a> {
    pub(crate) header: Header,
    pub(crate) body: &'a [u8],
    /// Where it ends in the bytes that it was found in.
    pub(crate) end: usize,
}

/// All whole frames at the start of `bytes`.
pub(crate) fn frames(bytes: &[u8]) -> Vec<Frame<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(header) = header(&bytes[at..]) {
        let start = at + header.len;
        let Ok(size) = usize::try_from(header.size) else { break };
        let Some(end) = start.checked_add(size).filter(|end| *end <= bytes.len()) else { break };
        found.push(Frame { header, body: &bytes[start..end], end });
        at = end;
    }
    found
}
