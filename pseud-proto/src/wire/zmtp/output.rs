//! The queue of bytes to write.
//!
//! Small pieces are gathered in one buffer, large bodies are queued as they are, and the writer
//! takes both in order as slices. Nothing large is copied.

use crate::base::pieces::Pieces;
use crate::message::frame::{self, FrameKind, HEADER_MAX};
use crate::message::framed::{Frame, Framed, Frames};
use crate::message::outgoing::{Outgoing, Token};
use crate::message::parts::USUAL;
use crate::wire::zmtp::mechanism::{OVERHEAD, Scratch, Sealer};
use bytes::Bytes;
use std::collections::VecDeque;
use std::io::IoSlice;
use zeroize::Zeroizing;

/// A sealed frame over this gets a buffer of its own, as a small one would have to grow for it.
const SEAL_SMALL_MAX: usize = 16 * 1024;
/// The largest payload whose sealed frame has a short header.
const SEAL_SHORT_MAX: usize = frame::SHORT_MAX - OVERHEAD;

/// The output queue of one link.
#[derive(Default)]
pub(crate) struct LinkOutput {
    /// Seals all frames, where traffic is encrypted.
    sealer: Option<Box<Sealer>>,
    pieces: Pieces,
    /// Bytes queued and bytes written since birth.
    queued: u64,
    written: u64,
    marks: VecDeque<WrittenMark>,
    /// The newest token up to which all was written, until somebody asks.
    newest: Option<Token>,
}

/// What is told when the bytes up to there are written.
struct WrittenMark {
    end: u64,
    token: Token,
    /// How many bytes before `end` have tokens of their own: each is one less than that of the next.
    span: u64,
}

impl LinkOutput {
    /// Queues bytes as they are.
    pub(crate) fn put_bytes(&mut self, bytes: &[u8]) {
        self.pieces.put_bytes(bytes);
        self.queued += bytes.len() as u64;
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
        self.put(|pieces| pieces.put_apart(Bytes::from_owner(Zeroizing::new(frame))));
    }

    /// Queues one empty message that nobody waits for.
    pub(crate) fn put_probe(&mut self) -> bool {
        self.put_one(FrameKind::Last, &[])
    }

    /// Queues a message, or says that there are not nonces enough left for all of it.
    pub(crate) fn put_message(&mut self, message: Outgoing<'_>, token: Token) -> bool {
        if self.sealer.is_none() {
            self.put(|pieces| message.put(pieces));
            self.mark(token, 0);
            return true;
        }
        let mut pieces = Pieces::default();
        message.put(&mut pieces);
        let len = pieces.len();
        self.put_framed(Framed::new(&mut pieces, len, 1), token)
    }

    /// Queues finished messages, the last of which ends at that token; or says that there are not nonces
    /// enough left for all of one.
    pub(crate) fn put_framed(&mut self, messages: Framed<'_>, token: Token) -> bool {
        let Some(mut sealer) = self.sealer.take() else {
            let len = messages.len() as u64;
            self.queued += len;
            messages.move_to(&mut self.pieces);
            self.mark(token, len);
            return true;
        };
        let is_put = self.put_sealed(&mut sealer, &messages, token);
        self.sealer = Some(sealer);
        is_put
    }

    /// Seals each message, all of its frames or none: over one block of key stream, wiped once.
    fn put_sealed(
        &mut self,
        sealer: &mut Sealer,
        messages: &Framed<'_>,
        Token(end): Token,
    ) -> bool {
        let mut scratch = Scratch::default();
        // No frame is without a byte of its header.
        let is_plenty = sealer.has_left(messages.len());
        let sealing = messages.count() * USUAL * (HEADER_MAX + OVERHEAD);
        self.pieces.put(messages.small_len().min(SEAL_SMALL_MAX) + sealing, |_| {});
        let mut frames = messages.frames();
        while frames.left > 0 {
            if !is_plenty && !sealer.has_left(frames.clone().of_message()) {
                return false;
            }
            let mut is_whole = self.put_sealed_short(sealer, &mut scratch, &mut frames);
            while !is_whole {
                let Some(frame) = frames.next() else { return false };
                self.put_sealed_frame(sealer, &mut scratch, &frame);
                is_whole = !frame.has_more;
            }
            self.mark(Token(end - frames.left as u64), 0);
        }
        true
    }

    /// Seals a message's first frames, as far as they are short and lie in one piece; whether that was
    /// the whole message. There is room for the usual number of them.
    #[inline]
    fn put_sealed_short(
        &mut self,
        sealer: &mut Sealer,
        scratch: &mut Scratch,
        frames: &mut Frames<'_>,
    ) -> bool {
        let mut is_whole = false;
        self.put(|pieces| {
            pieces.put(0, |small| {
                while !is_whole && let Some((has_more, payload)) = frames.short(SEAL_SHORT_MAX) {
                    sealer.seal_short(scratch, small, has_more, payload);
                    is_whole = !has_more;
                }
            });
        });
        is_whole
    }

    fn put_sealed_frame(&mut self, sealer: &mut Sealer, scratch: &mut Scratch, frame: &Frame<'_>) {
        let room = frame.payload.len().saturating_add(HEADER_MAX + OVERHEAD);
        if room <= SEAL_SMALL_MAX {
            return self.put(|pieces| {
                pieces.put(room, |small| seal(sealer, scratch, small, frame));
            });
        }
        let mut sealed = Vec::with_capacity(room);
        seal(sealer, scratch, &mut sealed, frame);
        self.put(|pieces| pieces.put_apart(sealed.into()));
    }

    /// Puts one frame, if there is a nonce for it.
    fn put_one(&mut self, kind: FrameKind, body: &[u8]) -> bool {
        let room = body.len().saturating_add(HEADER_MAX + OVERHEAD);
        let Some(mut sealer) = self.sealer.take() else {
            self.put(|pieces| pieces.put(room, |small| frame::put_frame(small, kind, body)));
            return true;
        };
        let has_left = sealer.has_left(1);
        if has_left {
            let scratch = &mut Scratch::default();
            self.put(|pieces| {
                pieces.put(room, |small| sealer.seal(scratch, small, kind, &[body]));
            });
        }
        self.sealer = Some(sealer);
        has_left
    }

    #[inline]
    fn put(&mut self, put: impl FnOnce(&mut Pieces)) {
        let before = self.pieces.len();
        put(&mut self.pieces);
        self.queued += (self.pieces.len() - before) as u64;
    }

    /// What is queued ends at that token.
    #[inline]
    fn mark(&mut self, token: Token, span: u64) {
        if self.marks.len() == self.marks.capacity() {
            // One message after the other needs one place; where one is behind another, many may be.
            self.marks.reserve_exact(if self.marks.is_empty() {
                1
            } else {
                16.max(self.marks.len())
            });
        }
        self.marks.push_back(WrittenMark { end: self.queued, token, span });
    }

    /// Bytes written since birth.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// Bytes queued and not written.
    pub(crate) fn backlog(&self) -> usize {
        self.pieces.len()
    }

    /// Fills `out` with what is to be written next and says how many slices that made.
    pub(crate) fn slices<'a>(&'a self, out: &mut [IoSlice<'a>]) -> usize {
        self.pieces.slices(out)
    }

    /// That many bytes were written.
    pub(crate) fn advance(&mut self, written: usize) {
        let written = written.min(self.backlog());
        self.written += written as u64;
        self.pieces.advance(written);
        self.note_written();
    }

    /// The newest token up to which all was written, once: all before it were, too.
    pub(crate) fn poll_written(&mut self) -> Option<Token> {
        self.newest.take()
    }

    fn note_written(&mut self) {
        while let Some(mark) = self.marks.front() {
            let Token(last) = mark.token;
            match mark.end.checked_sub(self.written) {
                // Some of several messages, and maybe a part of the next one.
                Some(left @ 1..) => {
                    let told = if left < mark.span { last.checked_sub(left) } else { None };
                    self.newest = told.map(Token).or(self.newest);
                    break;
                }
                Some(0) | None => self.newest = Some(mark.token),
            }
            self.marks.pop_front();
        }
        if self.marks.is_empty() && self.marks.capacity() > 1 {
            self.marks = VecDeque::new();
        }
    }

    /// The link is idle: holds nothing that it does not need.
    pub(crate) fn release(&mut self) {
        self.pieces.release();
        if self.marks.is_empty() {
            self.marks = VecDeque::new();
        }
    }
}

fn seal(sealer: &mut Sealer, scratch: &mut Scratch, out: &mut Vec<u8>, frame: &Frame<'_>) {
    let kind = if frame.has_more { FrameKind::More } else { FrameKind::Last };
    let payload = frame.payload;
    let apart = payload.apart.map_or(&[][..], |apart| &apart[..]);
    sealer.seal(scratch, out, kind, &[payload.head, apart, payload.tail]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::pieces::COPY_MAX;

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
        let mut out = [IoSlice::new(&[]); 2];
        assert_eq!(output.slices(&mut out), 2);
        assert_eq!(&out[0][..], b"before");
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
    #[cfg(feature = "_curve")]
    fn nothing_is_reserved_beside_a_large_sealed_frame() {
        let mut output = LinkOutput::default();
        output.seal_with(Sealer::at(3));
        let body = Bytes::from(vec![7; 64 << 10]);
        output.put_message(Outgoing { head: b"h", body, ..Default::default() }, Token(1));
        assert!(output.pieces.capacity() < 1_024, "{}", output.pieces.capacity());
        assert_eq!(output.backlog(), 9 + OVERHEAD + 1 + (64 << 10));
    }

    /// Several messages have one mark; whoever asks hears how far into them it was written. One whose
    /// token is no position is told when all of it was.
    #[test]
    fn what_was_written_of_several_messages_is_told_by_the_byte() {
        let framed = |output: &mut LinkOutput, count: usize, token| {
            let mut pieces = Pieces::default();
            for _ in 0..count {
                Outgoing { head: b"12345678", ..Default::default() }.put(&mut pieces);
            }
            let len = pieces.len();
            assert!(output.put_framed(Framed::new(&mut pieces, len, count), Token(token)));
        };
        let mut output = LinkOutput::default();
        framed(&mut output, 3, 100);
        framed(&mut output, 1, 0);
        let mut told = Vec::new();
        for _ in 0..40 {
            output.advance(1);
            told.push(output.poll_written());
        }
        let positions = (71..=100).map(|position| Some(Token(position)));
        let last = std::iter::repeat_n(None, 9).chain([Some(Token(0))]);
        assert_eq!(told, positions.chain(last).collect::<Vec<_>>());
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
        let held = |output: &LinkOutput| (output.pieces.capacity(), output.marks.capacity());
        assert!(held(&output).0 <= 256 && held(&output).1 <= 1);
        output.put_message(Outgoing { head: b"small", ..Default::default() }, Token(2));
        output.advance(output.backlog());
        assert_eq!(output.poll_written(), Some(Token(2)));
        assert!(held(&output).0 <= 256 && held(&output).1 <= 1);
        output.release();
        assert_eq!(held(&output), (0, 0));
    }

    #[test]
    fn a_queue_that_never_drains_stays_small() {
        let mut output = LinkOutput::default();
        for _ in 0..10_000 {
            output.put_bytes(&[0; 100]);
            output.advance(output.backlog() - 1);
        }
        assert!(output.pieces.capacity() < 256 * 1024, "{}", output.pieces.capacity());
    }
}
