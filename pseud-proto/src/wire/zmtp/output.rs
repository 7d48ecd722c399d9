//! The queue of bytes to write.
//!
//! Small pieces are gathered in one buffer, large bodies are queued as they are, and the writer
//! takes both in order as slices. Nothing large is copied.

use super::frame;
use crate::message::outgoing::{Outgoing, Token};
use crate::wire::zmtp::frame::{FrameKind, HEADER_MAX};
use crate::wire::zmtp::mechanism::{OVERHEAD, Scratch, Sealer};
use bytes::{Buf, Bytes};
use std::collections::VecDeque;
use std::io::IoSlice;
use zeroize::Zeroizing;

/// Up to this a copy is cheaper than a slice of its own.
const COPY_MAX: usize = 2 * 1024;
/// A sealed frame over this gets a buffer of its own, as a small one would have to grow for it.
const SEAL_SMALL_MAX: usize = 64 * 1024;
/// A drained buffer over this is let go at once: what one small call or answer takes is kept.
const KEEP_MAX: usize = 128;
/// A written front of the small buffer is cut off from there on.
const FRONT_MAX: usize = 64 * 1024;

/// A body that is queued as it is.
struct Large {
    /// Bytes of the small buffer before it, behind the large one before that.
    small_before: usize,
    bytes: Bytes,
}

/// The output queue of one link.
#[derive(Default)]
pub(crate) struct LinkOutput {
    /// Seals all frames, where traffic is encrypted.
    sealer: Option<Box<Sealer>>,
    small: Vec<u8>,
    /// Where its unwritten bytes begin.
    small_at: usize,
    large: VecDeque<Large>,
    /// Bytes of the small buffer behind all large ones.
    small_behind: usize,
    /// Bytes queued and bytes written since birth.
    queued: u64,
    written: u64,
    /// Messages by the byte they end at.
    tokens: VecDeque<(u64, Token)>,
}

impl LinkOutput {
    /// Queues bytes as they are.
    pub(crate) fn put_bytes(&mut self, bytes: &[u8]) {
        self.put_small(|small| small.extend_from_slice(bytes));
    }

    /// From here on all frames are sealed.
    pub(crate) fn seal_with(&mut self, sealer: Sealer) {
        self.sealer = Some(Box::new(sealer));
    }

    /// Queues a command, or says that there is no nonce left for it.
    pub(crate) fn put_command(&mut self, body: &[u8]) -> bool {
        self.put_one(FrameKind::Command, body)
    }

    /// Queues a command of the handshake, which may hold a password. It gets a buffer of its own, which
    /// is wiped when it is written or given up: the one that gathers small pieces is kept.
    pub(crate) fn put_secret(&mut self, body: &[u8]) {
        let mut frame = Vec::with_capacity(HEADER_MAX.saturating_add(body.len()));
        frame::put_frame(&mut frame, FrameKind::Command, body);
        self.put_large(Bytes::from_owner(Zeroizing::new(frame)));
    }

    /// Queues one empty message that nobody waits for.
    pub(crate) fn put_probe(&mut self) -> bool {
        self.put_one(FrameKind::Last, &[])
    }

    /// Queues a message, or says that there are not nonces enough left for all of it.
    pub(crate) fn put_message(&mut self, message: Outgoing<'_>, token: Token) -> bool {
        let is_put = match self.sealer.take() {
            None => {
                self.put_clear(message);
                true
            }
            Some(mut sealer) => {
                let is_put = self.put_sealed_message(&mut sealer, message);
                self.sealer = Some(sealer);
                is_put
            }
        };
        if is_put {
            if self.tokens.capacity() == 0 {
                // One message after the other needs no more.
                self.tokens.reserve_exact(1);
            }
            self.tokens.push_back((self.queued, token));
        }
        is_put
    }

    /// A message in clear: all that is small is gathered at once.
    fn put_clear(&mut self, message: Outgoing<'_>) {
        let Outgoing { frames, head, body, tail } = message;
        let leading = frames.iter().map(|frame| HEADER_MAX + frame.len()).sum::<usize>();
        let last = head.len() + body.len() + tail.len();
        let is_small = body.len() <= COPY_MAX;
        let copied = if is_small { &body[..] } else { &[] };
        self.put_small(|small| {
            small.reserve(leading + HEADER_MAX + head.len() + copied.len() + tail.len());
            frames.iter().for_each(|body| frame::put_frame(small, FrameKind::More, body));
            frame::put_header(small, FrameKind::Last, last);
            small.extend_from_slice(head);
            if is_small {
                small.extend_from_slice(copied);
                small.extend_from_slice(tail);
            }
        });
        if !is_small {
            self.put_large(body);
            self.put_bytes(tail);
        }
    }

    /// All frames of a message in one pass: one buffer unless they are large, wiped once.
    fn put_sealed_message(&mut self, sealer: &mut Sealer, message: Outgoing<'_>) -> bool {
        let Outgoing { frames, head, body, tail } = message;
        if !sealer.has_left(frames.len().saturating_add(1)) {
            return false;
        }
        let mut scratch = Scratch::default();
        let overhead = (frames.len() + 1) * (HEADER_MAX + OVERHEAD);
        let leading = frames.iter().map(|frame| frame.len()).sum::<usize>();
        let last = head.len() + body.len() + tail.len();
        let is_small = leading <= SEAL_SMALL_MAX && last <= SEAL_SMALL_MAX;
        if is_small {
            self.put_small(|small| {
                small.reserve(overhead + leading + last);
                for frame in frames {
                    sealer.seal(&mut scratch, small, FrameKind::More, &[frame]);
                }
                sealer.seal(&mut scratch, small, FrameKind::Last, &[head, &body, tail]);
            });
        } else {
            for frame in frames {
                self.put_sealed(sealer, &mut scratch, FrameKind::More, &[frame]);
            }
            self.put_sealed(sealer, &mut scratch, FrameKind::Last, &[head, &body, tail]);
        }
        true
    }

    /// Puts one frame, if there is a nonce for it.
    fn put_one(&mut self, kind: FrameKind, body: &[u8]) -> bool {
        let Some(mut sealer) = self.sealer.take() else {
            self.put_small(|small| frame::put_frame(small, kind, body));
            return true;
        };
        let has_left = sealer.has_left(1);
        if has_left {
            self.put_sealed(&mut sealer, &mut Scratch::default(), kind, &[body]);
        }
        self.sealer = Some(sealer);
        has_left
    }

    fn put_sealed(
        &mut self,
        sealer: &mut Sealer,
        scratch: &mut Scratch,
        kind: FrameKind,
        pieces: &[&[u8]],
    ) {
        let size = pieces.iter().map(|piece| piece.len()).sum::<usize>();
        if size <= SEAL_SMALL_MAX {
            return self.put_small(|small| sealer.seal(scratch, small, kind, pieces));
        }
        let mut frame = Vec::with_capacity(size.saturating_add(HEADER_MAX + OVERHEAD));
        sealer.seal(scratch, &mut frame, kind, pieces);
        self.put_large(frame.into());
    }

    fn put_large(&mut self, bytes: Bytes) {
        self.queued += bytes.len() as u64;
        if self.large.capacity() == 0 {
            // One large body after the other needs no more.
            self.large.reserve_exact(1);
        }
        self.large.push_back(Large { small_before: self.small_behind, bytes });
        self.small_behind = 0;
    }

    #[inline]
    fn put_small(&mut self, put: impl FnOnce(&mut Vec<u8>)) {
        let before = self.small.len();
        put(&mut self.small);
        let added = self.small.len() - before;
        self.queued += added as u64;
        self.small_behind += added;
    }

    /// Bytes queued and not written.
    pub(crate) fn backlog(&self) -> usize {
        usize::try_from(self.queued - self.written).unwrap_or(usize::MAX)
    }

    /// Fills `out` with what is to be written next and says how many slices that made.
    pub(crate) fn slices<'a>(&'a self, out: &mut [IoSlice<'a>]) -> usize {
        let mut small = self.small.get(self.small_at..).unwrap_or_default();
        let mut slices = out.iter_mut();
        let mut count = 0;
        let mut put = |bytes: &'a [u8]| {
            let slice = if bytes.is_empty() { None } else { slices.next() };
            count += usize::from(slice.is_some());
            let is_put = slice.is_some() || bytes.is_empty();
            slice.into_iter().for_each(|slice| *slice = IoSlice::new(bytes));
            is_put
        };
        for Large { small_before, bytes } in &self.large {
            let (before, rest) = small.split_at_checked(*small_before).unwrap_or_default();
            small = rest;
            if !put(before) || !put(bytes) {
                return count;
            }
        }
        put(small);
        count
    }

    /// That many bytes were written.
    pub(crate) fn advance(&mut self, written: usize) {
        let mut left = written.min(self.backlog());
        self.written += left as u64;
        while left > 0
            && let Some(large) = self.large.front_mut()
        {
            let small = left.min(large.small_before);
            large.small_before -= small;
            self.small_at += small;
            let gone = (left - small).min(large.bytes.len());
            large.bytes.advance(gone);
            left -= small + gone;
            if large.small_before == 0 && large.bytes.is_empty() {
                self.large.pop_front();
            }
        }
        self.small_behind -= left;
        self.small_at += left;
        self.compact();
    }

    /// Lets large buffers go once all is written. Else the small one's written front is cut off when it is
    /// the larger half, so that moving the rest costs no more than writing it did.
    fn compact(&mut self) {
        if self.small_at == self.small.len() {
            self.small.clear();
            self.small_at = 0;
            if self.small.capacity() > KEEP_MAX {
                self.small = Vec::new();
            }
        } else if self.small_at >= FRONT_MAX && self.small_at >= self.small.len() / 2 {
            self.small.drain(..self.small_at);
            self.small_at = 0;
        }
        if self.large.is_empty() && self.large.capacity() > 1 {
            self.large = VecDeque::new();
        }
    }

    /// The newest message that was written to its last byte, once: all before it were, too.
    pub(crate) fn poll_written(&mut self) -> Option<Token> {
        let mut newest = None;
        while let Some((end, token)) = self.tokens.front()
            && *end <= self.written
        {
            newest = Some(*token);
            self.tokens.pop_front();
        }
        if self.tokens.is_empty() && self.tokens.capacity() > 1 {
            self.tokens = VecDeque::new();
        }
        newest
    }

    /// The link is idle: holds nothing that it does not need.
    pub(crate) fn release(&mut self) {
        if self.backlog() == 0 && self.tokens.is_empty() {
            (self.small, self.tokens) = (Vec::new(), VecDeque::new());
            self.large = VecDeque::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drained(output: &mut LinkOutput, step: usize, slices: usize) -> (Vec<u8>, Vec<Token>) {
        let (mut bytes, mut tokens) = (Vec::new(), Vec::new());
        while output.backlog() > 0 {
            let mut out = vec![IoSlice::new(&[]); slices];
            let count = output.slices(&mut out);
            let next: Vec<u8> =
                out[..count].iter().flat_map(|slice| slice.to_vec()).take(step).collect();
            output.advance(next.len());
            bytes.extend(next);
            tokens.extend(std::iter::from_fn(|| output.poll_written()));
        }
        (bytes, tokens)
    }

    #[test]
    fn order_survives_every_way_of_writing() {
        let body = Bytes::from(vec![b'b'; COPY_MAX + 1]);
        let mut expected = b"\x01\x01f\x02".to_vec();
        expected.extend((body.len() as u64 + 2).to_be_bytes());
        expected.push(b'h');
        expected.extend_from_slice(&body);
        expected.extend_from_slice(b"t\x00\x00");
        for (step, slices) in [(1, 1), (7, 2), (1_000, 1), (usize::MAX, 8)] {
            let mut output = LinkOutput::default();
            let message = Outgoing { frames: &[b"f"], head: b"h", body: body.clone(), tail: b"t" };
            output.put_message(message, Token(1));
            output.put_message(Outgoing::default(), Token(2));
            assert_eq!(output.backlog(), expected.len());
            let (bytes, tokens) = drained(&mut output, step, slices);
            assert!(bytes == expected, "{step} bytes at a time");
            // Told one by one, or the newest alone.
            let both = [Token(1), Token(2)];
            assert!(tokens == both || tokens == both[1..], "{tokens:?}");
        }
    }

    #[test]
    fn a_large_body_is_not_copied() {
        let body = Bytes::from(vec![0; COPY_MAX + 1]);
        let mut output = LinkOutput::default();
        output.put_message(Outgoing { body: body.clone(), ..Default::default() }, Token(0));
        let mut out = [IoSlice::new(&[]); 4];
        assert_eq!(output.slices(&mut out), 2);
        assert_eq!(out[1].as_ptr(), body.as_ptr());
    }

    #[test]
    fn a_secret_never_enters_the_buffer_that_is_kept() {
        let mut output = LinkOutput::default();
        output.put_bytes(b"before");
        output.put_secret(b"\x05HELLO");
        assert_eq!(output.small, b"before");
        assert_eq!(drained(&mut output, 5, 2).0, b"before\x04\x06\x05HELLO");
    }

    #[test]
    #[cfg(feature = "_curve")]
    fn d_15_a_message_leaves_whole_or_not_at_all() {
        let mut output = LinkOutput::default();
        output.seal_with(Sealer::at(u64::MAX - 2));
        let frames: [&[u8]; 2] = [b"a", b"b"];
        let three = Outgoing { frames: &frames, ..Default::default() };
        assert!(!output.put_message(three, Token(1)));
        assert_eq!((output.backlog(), output.poll_written()), (0, None));
        let two = Outgoing { frames: &frames[..1], ..Default::default() };
        assert!(output.put_message(two, Token(2)));
        assert!(!output.put_command(b"\x04PONG"));
        assert_eq!(drained(&mut output, 10, 1).1, [Token(2)]);
    }

    #[test]
    fn next_to_nothing_is_held_once_all_is_written() {
        let mut output = LinkOutput::default();
        for size in [1, COPY_MAX, COPY_MAX + 1] {
            let body = Bytes::from(vec![7; size]);
            output.put_message(Outgoing { body, tail: b"t", ..Default::default() }, Token(1));
        }
        output.advance(output.backlog());
        assert_eq!(output.poll_written(), Some(Token(1)));
        let held = |output: &LinkOutput| {
            (output.small.capacity(), output.large.capacity(), output.tokens.capacity())
        };
        assert!(held(&output).0 <= KEEP_MAX && held(&output).1 <= 1 && held(&output).2 <= 1);
        output.put_message(Outgoing { head: b"small", ..Default::default() }, Token(2));
        output.advance(output.backlog());
        assert_eq!(output.poll_written(), Some(Token(2)));
        assert!(held(&output).0 <= KEEP_MAX && held(&output).1 <= 1 && held(&output).2 <= 1);
        output.release();
        assert_eq!(held(&output), (0, 0, 0));
    }

    #[test]
    fn a_queue_that_never_drains_stays_small() {
        let mut output = LinkOutput::default();
        for _ in 0..10_000 {
            output.put_bytes(&[0; 100]);
            output.advance(output.backlog() - 1);
        }
        assert!(output.small.capacity() < 4 * FRONT_MAX, "{}", output.small.capacity());
    }
}
