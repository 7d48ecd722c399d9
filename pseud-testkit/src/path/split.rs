//! One direction of a link, cut into its greeting and its frames (ZMTP 3.1 §framing): their headers are in
//! clear under every mechanism.

/// Bytes of a greeting.
pub const GREETING: usize = 64;
/// The flags of a frame.
pub const MORE: u8 = 1;
pub const LONG: u8 = 2;
pub const COMMAND: u8 = 4;

/// A frame as it stands on the wire, header included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a>(pub &'a [u8]);

impl<'a> Frame<'a> {
    pub fn flags(self) -> u8 {
        self.0[0]
    }

    pub fn body(self) -> &'a [u8] {
        &self.0[if self.flags() & LONG == 0 { 2 } else { 9 }..]
    }
}

/// One direction of a link, from its first byte.
#[derive(Debug, Default)]
pub struct Split {
    is_greeted: bool,
    /// Bytes of a piece that is not whole yet.
    rest: Vec<u8>,
}

impl Split {
    /// Takes bytes as they come; the pieces that are whole now, in order: the greeting, then frames.
    pub fn take(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        self.rest.extend_from_slice(bytes);
        let (mut pieces, mut at) = (Vec::new(), 0);
        while let Some(piece) = self.end(at).and_then(|end| self.rest.get(at..end)) {
            at += piece.len();
            pieces.push(piece.to_vec());
            self.is_greeted = true;
        }
        self.rest.drain(..at);
        pieces
    }

    /// Whether it stands between two pieces.
    pub fn is_between(&self) -> bool {
        self.rest.is_empty()
    }

    /// Where the piece ends that begins there, where that is known.
    fn end(&self, at: usize) -> Option<usize> {
        if !self.is_greeted {
            return Some(GREETING);
        }
        let size = match self.rest.get(at)? & LONG {
            0 => 2 + usize::from(*self.rest.get(at + 1)?),
            _ => {
                let size = self.rest.get(at + 1..at + 9)?.try_into().ok()?;
                // Whoever writes by hand may announce what never comes.
                usize::try_from(u64::from_be_bytes(size)).ok()?.checked_add(9)?
            }
        };
        at.checked_add(size)
    }
}
