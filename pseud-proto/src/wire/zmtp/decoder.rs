//! Input bytes to messages and commands.
//!
//! Whole messages are read straight from the caller's buffer and copied once. The bytes of a
//! partial one are kept in `pending`, frame by frame, so that a byte at a time costs no more than
//! all at once; when the message is whole, `pending` becomes it without a copy. Between messages
//! there is no buffer.
//!
//! Where traffic is encrypted, a whole frame is opened in its place before anything is made of it,
//! and only what it says inside counts.

mod large;
mod limits;
mod short;
mod skip;
mod whole;

use crate::error::PeerError;
use crate::message::parts::Parts;
use crate::wire::zmtp::config::ConnectionConfig;
use crate::wire::zmtp::decoder::whole::{Whole, command_of, open};
use crate::wire::zmtp::event::Event;
use crate::wire::zmtp::frame::Header;
use crate::wire::zmtp::input::{DecodeSink, Input};
use crate::wire::zmtp::mechanism::{Opener, Scratch};
use crate::wire::zmtp::stats::ConnectionStats;
use bytes::{Bytes, BytesMut};
use std::collections::VecDeque;
use std::ops::Range;
use zeroize::Zeroize;

/// What a look at the bytes gave.
pub(crate) enum Found {
    /// A message, already among the events.
    Message,
    /// A command's body.
    Command(Vec<u8>),
    /// A frame that is to be passed over.
    TooLarge,
    /// A part of something: there are too few bytes.
    Partial,
}

/// Parts whose ranges are kept in place: as many as pseud's messages have.
const USUAL: usize = 5;

/// The decoder of one link.
#[derive(Default)]
pub(crate) struct Decoder {
    /// Opens all frames, where traffic is encrypted.
    opener: Option<Box<Opener>>,
    /// All bytes since the start of a partial message, commands cut out. Empty between messages.
    pending: BytesMut,
    /// Where the next frame begins, from the start of the message.
    cursor: usize,
    /// The header at the cursor, once it is known and checked.
    header: Option<Header>,
    /// Where the first parts lie, and those beyond.
    ranges: [Range<u32>; USUAL],
    more_ranges: Vec<Range<u32>>,
    frames: usize,
    /// Bytes of the message's bodies so far.
    body_bytes: u64,
    /// Bytes of the handshake's frames so far.
    handshake_bytes: u64,
    traffic: bool,
    /// Whether a frame that is too large may be passed over.
    skips: bool,
    /// Bytes of such a frame that have yet to come.
    skipping: u64,
}

impl Decoder {
    /// The handshake is over: messages may come.
    pub(crate) fn begin_traffic(&mut self) {
        self.traffic = true;
    }

    /// From here on all frames are sealed.
    pub(crate) fn open_with(&mut self, opener: Opener) {
        self.opener = Some(Box::new(opener));
    }

    /// Whether the last message is whole.
    pub(crate) fn is_between_messages(&self) -> bool {
        self.pending.is_empty() && self.skipping == 0
    }

    /// Lets go of a partial message.
    pub(crate) fn release(&mut self) {
        if !self.traffic {
            // It may be a part of a password.
            self.pending.as_mut().zeroize();
        }
        self.pending = BytesMut::new();
        self.restart();
        self.header = None;
        self.skipping = 0;
    }

    /// Moves whole messages to the events until a command is found, whose body it returns, or until
    /// the input is used up or the sink is full.
    pub(crate) fn run(
        &mut self,
        input: &mut Input<'_>,
        sink: &mut DecodeSink<'_>,
    ) -> Result<Option<Vec<u8>>, PeerError> {
        let scratch = &mut None;
        loop {
            if !self.skip(input) {
                return Ok(None);
            }
            let found = if self.pending.is_empty() {
                self.scan(input, sink, scratch)?
            } else {
                Found::Partial
            };
            let found = match found {
                Found::Partial => self.resume(input, sink, scratch)?,
                whole => whole,
            };
            match found {
                Found::Message | Found::TooLarge if sink.is_full() => return Ok(None),
                Found::Message | Found::TooLarge => {}
                Found::Command(body) => return Ok(Some(body)),
                Found::Partial => return Ok(None),
            }
        }
    }

    /// Reads a message straight from the input. Where it is partial, or a command stands between
    /// its parts, its whole frames move to `pending` and the rest is left to `resume`.
    fn scan(
        &mut self,
        input: &mut Input<'_>,
        sink: &mut DecodeSink<'_>,
        scratch: &mut Option<Scratch>,
    ) -> Result<Found, PeerError> {
        if self.traffic && self.opener.is_none() && self.scan_short(input.peek(), sink.config) {
            let message = Bytes::copy_from_slice(input.take(self.cursor));
            return Ok(self.finish(message, sink.events));
        }
        while let Some(header) = input.peek().get(self.cursor..).and_then(Header::decode) {
            if let Err(error) = self.check(header, sink.config) {
                let large = self.may_skip(header, error, sink.config)?;
                let head = Bytes::copy_from_slice(input.take(self.cursor));
                input.take(header.len());
                return Ok(self.begin_skip(header, head, large, sink));
            }
            let end = self.frame_end(header);
            let Some(frame) = input.peek_mut().get_mut(self.cursor..end) else { break };
            self.count(header, sink.stats);
            let whole = open(&mut self.opener, scratch, header, frame)?;
            if whole.is_command {
                let body = command_of(frame, whole, sink.config)?;
                self.pending.extend_from_slice(input.take(self.cursor));
                input.take(end.saturating_sub(self.cursor));
                return Ok(Found::Command(body));
            }
            self.push(&whole, end, sink.config)?;
            if !whole.has_more {
                let message = Bytes::copy_from_slice(input.take(end));
                return Ok(self.finish(message, sink.events));
            }
        }
        self.pending.extend_from_slice(input.take(self.cursor));
        Ok(Found::Partial)
    }

    /// Takes the frame at the cursor, and those behind it, from `pending`, which is fed no more than
    /// each of them needs.
    fn resume(
        &mut self,
        input: &mut Input<'_>,
        sink: &mut DecodeSink<'_>,
        scratch: &mut Option<Scratch>,
    ) -> Result<Found, PeerError> {
        loop {
            let known = self.header;
            let Some(header) = self.resume_header(input) else { return Ok(Found::Partial) };
            if known.is_none()
                && let Err(error) = self.check(header, sink.config)
            {
                let large = self.may_skip(header, error, sink.config)?;
                self.pending.truncate(self.cursor);
                let head = std::mem::take(&mut self.pending).freeze();
                return Ok(self.begin_skip(header, head, large, sink));
            }
            let end = self.frame_end(header);
            self.reserve_for(input.peek().len(), end);
            if !self.fill(input, end) {
                return Ok(Found::Partial);
            }
            self.header = None;
            self.count(header, sink.stats);
            let frame = self.pending.get_mut(self.cursor..).unwrap_or_default();
            let whole = open(&mut self.opener, scratch, header, frame)?;
            if whole.is_command {
                let body = command_of(frame, whole, sink.config)?;
                self.cut_command();
                return Ok(Found::Command(body));
            }
            self.push(&whole, end, sink.config)?;
            if !whole.has_more {
                let message = std::mem::take(&mut self.pending).freeze();
                return Ok(self.finish(message, sink.events));
            }
        }
    }

    fn resume_header(&mut self, input: &mut Input<'_>) -> Option<Header> {
        if self.header.is_none() {
            // The first byte says how long the header is.
            if !self.fill(input, self.cursor.saturating_add(1)) {
                return None;
            }
            let len = Header::len_of(self.pending.get(self.cursor..).unwrap_or_default());
            self.fill(input, self.cursor.saturating_add(len));
            self.header = Header::decode(self.pending.get(self.cursor..).unwrap_or_default());
        }
        self.header
    }

    /// Brings `pending` to `target` bytes, if the input has them.
    fn fill(&mut self, input: &mut Input<'_>, target: usize) -> bool {
        let missing = target.saturating_sub(self.pending.len());
        self.pending.extend_from_slice(input.take(missing));
        self.pending.len() >= target
    }

    /// Takes a command out of `pending`, where it is the last frame. It may hold a password.
    fn cut_command(&mut self) {
        self.pending.get_mut(self.cursor..).unwrap_or_default().zeroize();
        self.pending.truncate(self.cursor);
        if self.pending.is_empty() {
            self.pending = BytesMut::new();
        }
    }

    /// Counts a whole frame.
    fn count(&mut self, header: Header, stats: &mut ConnectionStats) {
        stats.reserved_flags += u64::from(header.is_irregular());
        if !self.traffic {
            self.handshake_bytes = self.handshake_bytes.saturating_add(header.frame_bytes());
        }
    }

    /// Adds the part that ends at `end`. Its size was checked, so its range has 32 bits.
    fn push(
        &mut self,
        whole: &Whole,
        end: usize,
        config: &ConnectionConfig,
    ) -> Result<(), PeerError> {
        self.check_frames(config)?;
        let start = self.cursor.saturating_add(whole.lead);
        let range = start as u32..end as u32;
        match self.ranges.get_mut(self.frames) {
            Some(place) => *place = range,
            None => self.more_ranges.push(range),
        }
        self.frames += 1;
        self.body_bytes = self.body_bytes.saturating_add(end.saturating_sub(start) as u64);
        self.cursor = end;
        Ok(())
    }

    /// Makes an event of the message's bytes.
    fn finish(&mut self, bytes: Bytes, events: &mut VecDeque<Event>) -> Found {
        if events.capacity() == 0 {
            // One message after the other needs no more.
            events.reserve_exact(1);
        }
        events.extend(self.parts(bytes).map(Event::Message));
        self.restart();
        Found::Message
    }

    /// The parts that were found so far, in those bytes.
    pub(crate) fn parts(&self, bytes: Bytes) -> Option<Parts> {
        match self.ranges.get(..self.frames) {
            Some(ranges) => Parts::new(bytes, ranges),
            None => Parts::new(bytes, &[&self.ranges[..], &self.more_ranges].concat()),
        }
    }

    fn restart(&mut self) {
        self.cursor = 0;
        self.frames = 0;
        self.more_ranges = Vec::new();
        self.body_bytes = 0;
    }

    fn frame_end(&self, header: Header) -> usize {
        let size = usize::try_from(header.size).unwrap_or(usize::MAX);
        self.cursor.saturating_add(header.len()).saturating_add(size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::zmtp::decoder::large::{LARGE_MIN, LARGE_RESERVE};
    use bytes::BufMut;

    const MIB: usize = 1024 * 1024;

    /// A decoder in traffic that has seen `bytes`.
    fn after(bytes: &[u8]) -> Decoder {
        let mut decoder = Decoder::default();
        decoder.begin_traffic();
        feed(&mut decoder, bytes);
        decoder
    }

    fn feed(decoder: &mut Decoder, bytes: &[u8]) -> VecDeque<Event> {
        let (config, mut events) = (ConnectionConfig::default(), VecDeque::new());
        let mut stats = ConnectionStats::default();
        let mut sink = DecodeSink {
            config: &config,
            events: &mut events,
            events_max: usize::MAX,
            stats: &mut stats,
        };
        decoder.run(&mut Input::new(&mut bytes.to_vec()), &mut sink).unwrap();
        events
    }

    fn long_header(size: usize) -> Vec<u8> {
        [&[2][..], &(size as u64).to_be_bytes()].concat()
    }

    #[test]
    fn b_03_memory_grows_with_what_has_come() {
        let mut decoder = after(&long_header(8 * MIB));
        let mut came = decoder.pending.len();
        while let Some(mut place) = decoder.large() {
            let next = place.chunk_mut().len().min(10_000);
            place.put_bytes(7, next);
            came += next;
            let capacity = decoder.pending.capacity();
            assert!(
                capacity <= came + came.max(LARGE_RESERVE) + LARGE_MIN,
                "{capacity} for {came}"
            );
        }
        assert!(came > 8 * MIB - LARGE_MIN);
    }

    #[test]
    fn b_03_ten_bytes_hold_no_more_than_64_kib() {
        let mut decoder = after(&[&long_header(8 * MIB)[..], &[7; 10]].concat());
        assert!(decoder.pending.capacity() < 64);
        assert!(decoder.large().is_some());
        assert!(decoder.pending.capacity() <= 19 + LARGE_RESERVE);
    }

    #[test]
    fn a_buffer_is_no_larger_than_its_frame() {
        for size in [LARGE_MIN, 40_000, 64 << 10, 100_000, MIB, 3 * MIB + 1, 8 * MIB] {
            let front = [&long_header(size)[..], &[7; 10_000]].concat();
            let mut decoder = after(&front);
            while let Some(mut place) = decoder.large() {
                let next = place.chunk_mut().len().min(50_000);
                place.put_bytes(7, next);
                assert!(decoder.pending.capacity() <= 9 + size + 256, "{size}");
            }
            let missing = 9 + size - decoder.pending.len();
            assert_eq!(feed(&mut decoder, &vec![7; missing]).len(), 1, "{size}");
        }
    }

    #[test]
    fn a_place_ends_with_its_frame() {
        let mut decoder = after(&long_header(LARGE_MIN));
        assert_eq!(decoder.large().map(|place| place.remaining_mut()), Some(LARGE_MIN));
        feed(&mut decoder, &[7]);
        assert!(decoder.large().is_none());
        assert_eq!(feed(&mut decoder, &[7; LARGE_MIN]).len(), 1);
    }

    #[test]
    fn nothing_is_held_between_messages() {
        let mut decoder = after(b"\x01");
        assert!(!decoder.is_between_messages());
        assert_eq!(feed(&mut decoder, b"\x01a\x00\x01b").len(), 1);
        assert_eq!((decoder.pending.capacity(), decoder.is_between_messages()), (0, true));
    }
}
