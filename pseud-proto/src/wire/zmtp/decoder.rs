//! Input bytes to messages and commands.
//!
//! Whole messages are shown where they lie in the caller's buffer. The bytes of a
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
mod usual;
mod whole;

use crate::error::PeerError;
use crate::message::frame::Header;
use crate::message::incoming::IncomingBytes;
use crate::message::parts::{PartRange, USUAL};
use crate::message::too_large::TooLarge;
use crate::wire::zmtp::config::ConnectionConfig;
use crate::wire::zmtp::decoder::whole::{Whole, command_of, open};
use crate::wire::zmtp::input::{Input, Rules};
use crate::wire::zmtp::mechanism::Opener;
use crate::wire::zmtp::stats::ConnectionStats;
use bytes::{Bytes, BytesMut};
use zeroize::Zeroize;

/// What a look at the bytes gave.
pub(crate) enum Found<'a> {
    /// A message, whose [places](Decoder::places) are known until the next look.
    Message(IncomingBytes<'a>),
    /// A command's body.
    Command(Vec<u8>),
    /// A frame that is passed over.
    TooLarge(Box<TooLarge>),
    /// A part of something: there are too few bytes.
    Partial,
}

/// Where parts lie behind the usual ones.
#[derive(Default)]
struct MoreParts(Vec<PartRange>);

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
    first: [PartRange; USUAL],
    /// Hardly any message has more than the usual ones.
    more: Option<Box<MoreParts>>,
    frames: u32,
    /// Bytes of the message's bodies so far: their ranges have 32 bits.
    body_bytes: u32,
    /// Bytes of the handshake's frames so far.
    handshake_bytes: u32,
    /// Bytes of a frame that is passed over that have yet to come.
    skipping: u32,
    /// Partial messages, and frames passed over, that have come to their end: which one the next is.
    partials: u32,
    traffic: bool,
    /// Whether a frame that is too large may be passed over.
    skips: bool,
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

    /// Whether traffic is encrypted.
    pub(crate) fn is_sealed(&self) -> bool {
        self.opener.is_some()
    }

    /// Whether the last message is whole.
    pub(crate) fn is_between_messages(&self) -> bool {
        self.pending.is_empty() && self.skipping == 0
    }

    /// Bytes that it takes to keep what is partial.
    pub(crate) fn held(&self) -> usize {
        self.pending.capacity()
    }

    /// The input is used up.
    #[inline]
    pub(crate) fn rest(&mut self) {
        if let Some(opener) = &mut self.opener {
            opener.rest();
        }
    }

    /// Whether nothing is left of a key stream.
    #[cfg(all(test, feature = "_curve"))]
    pub(crate) fn has_rested(&self) -> bool {
        self.opener.as_ref().is_none_or(|opener| opener.has_rested())
    }

    /// Lets go of a partial message.
    pub(crate) fn release(&mut self) {
        if !self.traffic {
            // What is left of a command in the buffer may be a part of a PLAIN password.
            self.pending.as_mut().zeroize();
        }
        self.pending = BytesMut::new();
        self.restart();
        self.header = None;
        self.skipping = 0;
        self.rest();
    }

    /// The next message, command or frame that is passed over; `Partial` where the input is used up.
    pub(crate) fn run<'a>(
        &mut self,
        input: &mut Input<'a>,
        rules: &mut Rules<'_>,
    ) -> Result<Found<'a>, PeerError> {
        if !self.skip(input) {
            return Ok(Found::Partial);
        }
        if self.pending.is_empty() {
            self.restart();
            match self.scan(input, rules)? {
                Found::Partial => {}
                whole => return Ok(whole),
            }
        }
        self.resume(input, rules)
    }

    /// Reads a message straight from the input. Where it is partial, or a command stands between
    /// its parts, its whole frames move to `pending` and the rest is left to `resume`.
    fn scan<'a>(
        &mut self,
        input: &mut Input<'a>,
        rules: &mut Rules<'_>,
    ) -> Result<Found<'a>, PeerError> {
        if self.opener.is_some() {
            if let Some((whole, end)) = self.open_short(input.peek_mut(), rules.config)? {
                return self.found(input, whole, end, rules.config);
            }
        } else if self.traffic && self.scan_short(input.peek(), rules.config) {
            return Ok(Found::Message(IncomingBytes::Input(input.take(self.cursor))));
        }
        while let Some(header) = input.peek().get(self.cursor..).and_then(Header::decode) {
            if let Err(error) = self.check(header, rules.config) {
                let large = self.may_skip(header, error, rules.config)?;
                let head = Bytes::copy_from_slice(input.take(self.cursor));
                input.take(header.len());
                return Ok(self.begin_skip(header, head, large, rules));
            }
            let end = self.frame_end(header);
            let Some(frame) = input.peek_mut().get_mut(self.cursor..end) else { break };
            self.count(header, rules.stats);
            let whole = open(&mut self.opener, header, frame)?;
            if !whole.is_command {
                self.push(&whole, end, rules.config)?;
            }
            if whole.is_command || !whole.has_more {
                return self.found(input, whole, end, rules.config);
            }
        }
        self.pending.extend_from_slice(input.take(self.cursor));
        Ok(Found::Partial)
    }

    /// Takes what a frame that ends there has made whole: a message, or a command between its parts, which
    /// go to `pending`.
    #[inline]
    fn found<'a>(
        &mut self,
        input: &mut Input<'a>,
        whole: Whole,
        end: usize,
        config: &ConnectionConfig,
    ) -> Result<Found<'a>, PeerError> {
        if !whole.is_command {
            return Ok(Found::Message(IncomingBytes::Input(input.take(end))));
        }
        let frame = input.peek().get(self.cursor..end).unwrap_or_default();
        let body = command_of(frame, whole, config)?;
        self.pending.extend_from_slice(input.take(self.cursor));
        input.take(end.saturating_sub(self.cursor));
        Ok(Found::Command(body))
    }

    /// Takes the frame at the cursor, and those behind it, from `pending`, which is fed no more than
    /// each of them needs.
    fn resume<'a>(
        &mut self,
        input: &mut Input<'a>,
        rules: &mut Rules<'_>,
    ) -> Result<Found<'a>, PeerError> {
        loop {
            let known = self.header;
            let Some(header) = self.resume_header(input) else { return Ok(Found::Partial) };
            if known.is_none()
                && let Err(error) = self.check(header, rules.config)
            {
                let large = self.may_skip(header, error, rules.config)?;
                self.pending.truncate(self.cursor);
                let head = std::mem::take(&mut self.pending).freeze();
                return Ok(self.begin_skip(header, head, large, rules));
            }
            let end = self.frame_end(header);
            self.reserve_for(input.peek().len(), end);
            if !self.fill(input, end) {
                return Ok(Found::Partial);
            }
            self.header = None;
            self.count(header, rules.stats);
            let frame = self.pending.get_mut(self.cursor..).unwrap_or_default();
            let whole = open(&mut self.opener, header, frame)?;
            if whole.is_command {
                let body = command_of(frame, whole, rules.config)?;
                self.cut_command();
                return Ok(Found::Command(body));
            }
            self.push(&whole, end, rules.config)?;
            if !whole.has_more {
                self.partials = self.partials.wrapping_add(1);
                return Ok(Found::Message(IncomingBytes::Buffer(std::mem::take(
                    &mut self.pending,
                ))));
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
            // What comes next is another thing, with a time of its own (S-09).
            self.partials = self.partials.wrapping_add(1);
        }
    }

    /// Counts a whole frame.
    fn count(&mut self, header: Header, stats: &mut ConnectionStats) {
        stats.reserved_flags =
            stats.reserved_flags.saturating_add(u32::from(header.is_irregular()));
        if !self.traffic {
            let bytes = u32::try_from(header.frame_bytes()).unwrap_or(u32::MAX);
            self.handshake_bytes = self.handshake_bytes.saturating_add(bytes);
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
        let place = (start as u32, end as u32);
        match self.first.get_mut(self.frames as usize) {
            Some(first) => *first = place,
            None => self.more.get_or_insert_default().0.push(place),
        }
        self.frames += 1;
        self.body_bytes = self.body_bytes.saturating_add(end.saturating_sub(start) as u32);
        self.cursor = end;
        Ok(())
    }

    /// Where the parts lie that were found last: the usual ones, and those behind them.
    #[inline]
    pub(crate) fn places(&self) -> (&[PartRange], &[PartRange]) {
        let more = self.more.as_ref().map_or(&[][..], |more| &more.0);
        (self.first.get(..self.frames as usize).unwrap_or(&self.first), more)
    }

    #[inline]
    fn restart(&mut self) {
        self.cursor = 0;
        self.frames = 0;
        self.body_bytes = 0;
        if self.more.is_some() {
            self.more = None;
        }
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

    /// How many messages came of it.
    fn feed(decoder: &mut Decoder, bytes: &[u8]) -> usize {
        let (config, mut bytes) = (ConnectionConfig::default(), bytes.to_vec());
        let (mut stats, mut input) = (ConnectionStats::default(), Input::new(&mut bytes));
        let mut rules = Rules { config: &config, stats: &mut stats };
        let mut messages = 0;
        loop {
            match decoder.run(&mut input, &mut rules).unwrap() {
                Found::Message(_) => messages += 1,
                Found::Partial => return messages,
                Found::Command(_) | Found::TooLarge(_) => {}
            }
        }
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
            assert_eq!(feed(&mut decoder, &vec![7; missing]), 1, "{size}");
        }
    }

    #[test]
    fn a_place_ends_with_its_frame() {
        let mut decoder = after(&long_header(LARGE_MIN));
        assert_eq!(decoder.large().map(|place| place.remaining_mut()), Some(LARGE_MIN));
        feed(&mut decoder, &[7]);
        assert!(decoder.large().is_none());
        assert_eq!(feed(&mut decoder, &[7; LARGE_MIN]), 1);
    }

    #[test]
    fn nothing_is_held_between_messages() {
        let mut decoder = after(b"\x01");
        assert!(!decoder.is_between_messages());
        assert_eq!(feed(&mut decoder, b"\x01a\x00\x01b"), 1);
        assert_eq!((decoder.pending.capacity(), decoder.is_between_messages()), (0, true));
    }
}
