//! Frames behind the handshake: MESSAGE, number (8), tag (16), then sealed flags (1) and payload.

use super::number;
use crate::auth::keys::cipher::{Boxes, Cipher, DirectionCipher, Prefix, TAG_LEN};
use crate::error::{Insecure, Malformed, Misbehaved, PeerError};
use crate::message::frame;
use crate::message::frame::FrameKind;
use crate::wire::zmtp::mechanism::inner::InnerFlags;

const NAME: &[u8; 8] = b"\x07MESSAGE";
const NUMBER_LEN: usize = 8;
/// Bytes of a MESSAGE before its payload, its header left out.
pub(crate) const OVERHEAD: usize = NAME.len() + NUMBER_LEN + TAG_LEN + 1;

const MORE: u8 = 0x01;
/// libzmq's: the payload is a command, such as PING.
const COMMAND: u8 = 0x02;

/// What one message's frames share while they are sealed or opened.
pub(crate) type Scratch = <<Boxes as Cipher>::DirectionCipher as DirectionCipher>::Scratch;

/// Seals what leaves.
pub(crate) struct Sealer {
    stream: <Boxes as Cipher>::DirectionCipher,
    /// The next frame's number.
    next: u64,
}

impl Sealer {
    pub(crate) fn new(key: &Boxes, prefix: Prefix, next: u64) -> Self {
        Self { stream: key.stream(prefix), next }
    }

    /// One whose next number is that, for tests of what holds it.
    #[cfg(test)]
    pub(crate) fn at(next: u64) -> Self {
        let key = Boxes::agree(&Boxes::public_key(&[1; 32]), &[2; 32]);
        Self { stream: key.unwrap().stream(*b"CurveZMQMESSAGEC"), next }
    }

    /// Whether there are numbers for so many frames. The last one there is stays unused.
    pub(crate) fn has_left(&self, frames: usize) -> bool {
        self.next.checked_add(frames as u64).is_some()
    }

    /// Appends one frame. Its outer flags say no more than its size: libzmq drops a MESSAGE with
    /// the COMMAND flag.
    pub(crate) fn seal(
        &mut self,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
        kind: FrameKind,
        pieces: &[&[u8]],
    ) {
        let size = pieces.iter().map(|piece| piece.len()).sum::<usize>();
        frame::put_header(out, FrameKind::Last, OVERHEAD.saturating_add(size));
        let body_at = out.len();
        out.extend_from_slice(&self.lead(kind));
        pieces.iter().for_each(|piece| out.extend_from_slice(piece));
        self.seal_body(scratch, out, body_at);
    }

    /// The same of a part that lies in one piece, and whose frame has a short header: its payload has
    /// [`SHORT_MAX`] bytes at most.
    #[inline]
    pub(crate) fn seal_short(
        &mut self,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
        has_more: bool,
        payload: &[u8],
    ) {
        let kind = if has_more { FrameKind::More } else { FrameKind::Last };
        let size = OVERHEAD.saturating_add(payload.len()) as u8;
        let mut lead = [0; 2 + OVERHEAD];
        let (header, rest) = lead.split_at_mut(2);
        header.copy_from_slice(&[0, size]);
        rest.copy_from_slice(&self.lead(kind));
        let body_at = out.len() + 2;
        out.extend_from_slice(&lead);
        out.extend_from_slice(payload);
        self.seal_body(scratch, out, body_at);
    }

    /// What is in front of a payload. There is no tag yet.
    #[inline]
    fn lead(&self, kind: FrameKind) -> [u8; OVERHEAD] {
        let mut lead = [0; OVERHEAD];
        let (name, rest) = lead.split_at_mut(NAME.len());
        let (number, rest) = rest.split_at_mut(NUMBER_LEN);
        name.copy_from_slice(NAME);
        number.copy_from_slice(&self.next.to_be_bytes());
        if let Some(place) = rest.last_mut() {
            *place = flags(kind);
        }
        lead
    }

    /// Seals the body that begins there.
    #[inline]
    fn seal_body(&mut self, scratch: &mut Scratch, out: &mut [u8], body_at: usize) {
        let place = out.get_mut(body_at + NAME.len() + NUMBER_LEN..).unwrap_or_default();
        if let Some((tag, data)) = place.split_first_chunk_mut() {
            *tag = self.stream.seal(scratch, self.next, data);
        }
        self.next = self.next.saturating_add(1);
    }
}

fn flags(kind: FrameKind) -> u8 {
    match kind {
        FrameKind::More => MORE,
        FrameKind::Last => 0,
        FrameKind::Command => COMMAND,
    }
}

/// Opens what comes.
pub(crate) struct Opener {
    stream: <Boxes as Cipher>::DirectionCipher,
    /// The number of the last frame that opened.
    last: u64,
    /// What the frames of one read share.
    scratch: Scratch,
    /// Whether there is anything in it.
    is_used: bool,
}

impl Opener {
    pub(crate) fn new(key: &Boxes, prefix: Prefix, last: u64) -> Self {
        Self { stream: key.stream(prefix), last, scratch: Scratch::default(), is_used: false }
    }

    /// Opens a frame's body in place: behind its first [`OVERHEAD`] bytes is the payload.
    #[inline]
    pub(crate) fn open(&mut self, body: &mut [u8]) -> Result<InnerFlags, PeerError> {
        let Some((name, rest)) = body.split_first_chunk_mut() else {
            return Err(Malformed::BadCommand.into());
        };
        if name != NAME {
            return Err(Misbehaved::UnexpectedCommand.into());
        }
        let (number, rest) = rest.split_first_chunk_mut().ok_or(Malformed::BadCommand)?;
        let (tag, data) = rest.split_first_chunk_mut().ok_or(Malformed::BadCommand)?;
        if data.is_empty() {
            return Err(Malformed::BadCommand.into());
        }
        let number = u64::from_be_bytes(*number);
        number::follows(self.last, number)?;
        self.is_used = true;
        self.stream.open(&mut self.scratch, number, tag, data).map_err(|_| Insecure::Box)?;
        // Only now: a forged frame must not move it.
        self.last = number;
        inner(data.first().copied().unwrap_or_default())
    }
}

impl Opener {
    /// Nothing more is at hand: what is left of the last frames' key stream is wiped.
    pub(crate) fn rest(&mut self) {
        if self.is_used {
            self.scratch = Scratch::default();
            self.is_used = false;
        }
    }

    #[cfg(test)]
    pub(crate) fn has_rested(&self) -> bool {
        !self.is_used
    }
}

/// Whether a frame whose body was opened says that another one follows.
#[inline]
pub(crate) fn has_more(body: &[u8]) -> Option<bool> {
    body.get(OVERHEAD - 1).map(|flags| flags & MORE != 0)
}

fn inner(flags: u8) -> Result<InnerFlags, PeerError> {
    if flags & !(MORE | COMMAND) != 0 {
        return Err(Malformed::ReservedFlag.into());
    }
    Ok(InnerFlags { is_command: flags & COMMAND != 0, has_more: flags & MORE != 0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::zmtp::mechanism::curve::CLIENT_NONCE;

    fn key() -> Boxes {
        Boxes::agree(&Boxes::public_key(&[1; 32]), &[2; 32]).unwrap()
    }

    fn opener(last: u64) -> Opener {
        Opener::new(&key(), CLIENT_NONCE, last)
    }

    /// The body of a frame with that number.
    fn body(number: u64, payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        Sealer::at(number).seal(&mut Scratch::default(), &mut out, FrameKind::Last, &[payload]);
        out.split_off(if payload.len() > 222 { 9 } else { 2 })
    }

    #[test]
    fn d_13_a_forged_number_moves_nothing() {
        let mut opener = opener(2);
        for (number, refused) in [(3, Insecure::Box), (1_000, Insecure::Gap)] {
            let mut forged = body(number, b"x");
            forged[20] ^= 1;
            let before = forged.clone();
            assert_eq!(opener.open(&mut forged), Err(refused.into()));
            assert_eq!((&forged, opener.last), (&before, 2));
        }
        let mut good = body(3, b"x");
        assert_eq!(opener.open(&mut good), Ok(InnerFlags { is_command: false, has_more: false }));
        assert_eq!((&good[OVERHEAD..], opener.last), (&b"x"[..], 3));
    }

    #[test]
    fn d_14_a_wrong_tag_shows_no_plaintext_at_any_size() {
        for len in [0, 1, 31, 32, 63, 64, 191, 192, 193, 255, 5_000] {
            let mut forged = body(3, &vec![b'p'; len]);
            forged[16] ^= 0x80;
            let before = forged.clone();
            assert_eq!(opener(2).open(&mut forged), Err(Insecure::Box.into()), "{len}");
            assert_eq!(forged, before, "{len}");
        }
    }

    #[test]
    fn d_11_a_jump_is_refused_and_the_last_number_is_the_last() {
        for number in [4, 1 << 60, u64::MAX] {
            let mut sealed = body(number, b"x");
            let before = sealed.clone();
            assert_eq!(opener(2).open(&mut sealed), Err(Insecure::Gap.into()));
            assert_eq!(sealed, before, "it is not even opened");
        }
        let mut opener = opener(u64::MAX - 1);
        assert!(opener.open(&mut body(u64::MAX, b"x")).is_ok());
        for number in [0, 3, u64::MAX] {
            let refused = opener.open(&mut body(number, b"x"));
            assert_eq!(refused, Err(Insecure::Exhausted.into()));
        }
    }

    #[test]
    fn d_15_the_counter_ends_before_its_last_number() {
        let mut sealer = Sealer::at(u64::MAX - 2);
        assert!(sealer.has_left(2));
        assert!(!sealer.has_left(3));
        let mut out = Vec::new();
        sealer.seal(&mut Scratch::default(), &mut out, FrameKind::Last, &[]);
        sealer.seal(&mut Scratch::default(), &mut out, FrameKind::Last, &[]);
        assert_eq!(out[35 + 10..35 + 18], (u64::MAX - 1).to_be_bytes());
        assert!(!sealer.has_left(1));
    }
}
