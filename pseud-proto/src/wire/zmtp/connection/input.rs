//! A link's way in: bytes are told to it, and what they hold comes out.

use super::decoded::Decoded;
use super::waiting::EVENTS_AT_ONCE;
use super::{Connection, Phase};
use crate::error::{Malformed, Misbehaved, PeerError};
use crate::message::incoming::{IncomingBytes, IncomingMessage};
use crate::wire::zmtp::event::{Event, Incoming};
use crate::wire::zmtp::input::Input;
use bytes::BytesMut;
use bytes::buf::Limit;
use std::time::Instant;

impl Connection {
    /// Bytes came. All of them are taken; what they held of a partial frame is kept. The content of
    /// `input` is unspecified afterwards.
    ///
    /// # Errors
    /// The peer broke the rules: close the link.
    pub fn handle_input(&mut self, input: &mut [u8], now: Instant) -> Result<(), PeerError> {
        self.handle(input, usize::MAX, now).map(drop)
    }

    /// The same, as far as the next few messages: for who does something with each before it looks at
    /// the next, and then hands in the rest. At most 32 events wait then. Returns how many bytes were
    /// taken: at least one.
    ///
    /// # Errors
    /// As [`handle_input`](Self::handle_input): nothing more is taken.
    pub fn handle_some(&mut self, input: &mut [u8], now: Instant) -> Result<usize, PeerError> {
        self.handle(input, EVENTS_AT_ONCE, now)
    }

    fn handle(
        &mut self,
        input: &mut [u8],
        events_max: usize,
        now: Instant,
    ) -> Result<usize, PeerError> {
        let (size, mut rest) = (input.len(), input);
        while self.events.len() < events_max
            && let Some(incoming) = self.take(&mut rest, now)?
        {
            self.keep(incoming);
        }
        if rest.is_empty() {
            self.decoder.rest();
        }
        Ok(size - rest.len())
    }

    pub(crate) fn keep(&mut self, event: Event) {
        self.events.keep(event);
    }

    /// The next thing that came, where it lies: an event that waits, else what the front of `input` holds,
    /// which is cut off. `None`: all of the input was taken, and what it held of a partial frame is kept.
    /// The content of what was taken is unspecified afterwards.
    ///
    /// For drivers that look at each message before the next; [`handle_input`](Self::handle_input) copies
    /// all of them.
    ///
    /// # Errors
    /// The peer broke the rules: close the link.
    #[inline]
    pub fn receive<'a, 'i: 'a>(
        &'a mut self,
        input: &mut &'i mut [u8],
        now: Instant,
    ) -> Result<Option<Incoming<'a>>, PeerError> {
        if self.is_drained()
            && self.failed.is_none()
            && let Some(message) = self.decoder.take_usual(input, &self.config)
        {
            self.liveness.heard(now);
            return Ok(Some(Incoming::Message(self.received(IncomingBytes::Input(message)))));
        }
        self.receive_any(input, now)
    }

    fn receive_any<'a, 'i: 'a>(
        &'a mut self,
        input: &mut &'i mut [u8],
        now: Instant,
    ) -> Result<Option<Incoming<'a>>, PeerError> {
        if let Some(event) = self.events.pop_front() {
            return Ok(Some(Incoming::Event(event)));
        }
        self.events.rest();
        Ok(match self.next(input, now)? {
            Decoded::Message(bytes) => Some(Incoming::Message(self.received(bytes))),
            Decoded::Event(event) => Some(Incoming::Event(event)),
            Decoded::Nothing => None,
        })
    }

    #[inline]
    pub(crate) fn received<'a>(&'a self, bytes: IncomingBytes<'a>) -> IncomingMessage<'a> {
        let (first, more) = self.decoder.places();
        IncomingMessage::new(bytes, first, more)
    }

    /// The next thing that the input holds, to keep.
    fn take(&mut self, input: &mut &mut [u8], now: Instant) -> Result<Option<Event>, PeerError> {
        Ok(match self.next(input, now)? {
            Decoded::Message(bytes) => Some(Event::Message(self.received(bytes).into_parts())),
            Decoded::Event(event) => Some(event),
            Decoded::Nothing => None,
        })
    }

    pub(crate) fn next<'a>(
        &mut self,
        input: &mut &'a mut [u8],
        now: Instant,
    ) -> Result<Decoded<'a>, PeerError> {
        if let Some(error) = &self.failed {
            return Err(**error);
        }
        if !matches!(self.phase, Phase::Traffic)
            && let Some(event) = self.next_of_handshake(input, now)?
        {
            return Ok(Decoded::Event(event));
        }
        if input.is_empty() {
            self.decoder.rest();
            return Ok(Decoded::Nothing);
        }
        self.liveness.heard(now);
        let mut rest = Input::new(std::mem::take(input));
        let decoded = self.decode(&mut rest, now);
        *input = rest.into_rest();
        decoded.map_err(|error| self.fail(error))
    }

    /// While a large frame is partial, the place for its next bytes: what is read into it need not be
    /// copied again. Call [`handle_filled`](Self::handle_filled) after reading.
    ///
    /// It takes no byte behind that frame, and its memory grows only with what has come: 65 KiB at most
    /// at first, then by as much again, never more than the frame needs.
    pub fn large(&mut self) -> Option<Limit<&mut BytesMut>> {
        self.decoder.large()
    }

    /// Whether [`large`](Self::large) may have a place: the head of a frame has come, and not all of it.
    pub fn may_be_large(&self) -> bool {
        self.decoder.is_within_frame()
    }

    /// Bytes were read into [`large`](Self::large).
    ///
    /// # Errors
    /// As [`handle_input`](Self::handle_input).
    pub fn handle_filled(&mut self, now: Instant) -> Result<(), PeerError> {
        if let Some(incoming) = self.receive_filled(now)? {
            let event = incoming.into_event();
            self.keep(event);
        }
        Ok(())
    }

    /// The same for drivers that [receive](Self::receive): the frame's message, once it is whole.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    pub fn receive_filled(&mut self, now: Instant) -> Result<Option<Incoming<'_>>, PeerError> {
        if let Some(error) = &self.failed {
            return Err(**error);
        }
        self.liveness.heard(now);
        let decoded = self.decode(&mut Input::new(&mut []), now);
        Ok(match decoded.map_err(|error| self.fail(error))? {
            Decoded::Message(bytes) => Some(Incoming::Message(self.received(bytes))),
            Decoded::Event(event) => Some(Incoming::Event(event)),
            Decoded::Nothing => None,
        })
    }

    /// The peer will send no more.
    ///
    /// # Errors
    /// It stopped inside the handshake or inside a message. Between messages it may.
    pub fn handle_eof(&mut self) -> Result<(), PeerError> {
        self.unless_failed(|this| match this.phase {
            Phase::Traffic if this.decoder.is_between_messages() => Ok(()),
            Phase::Traffic => Err(Malformed::Truncated.into()),
            Phase::Greeting(_) => Err(Misbehaved::HandshakeIncomplete.into()),
            Phase::Handshake(_) => Err(this.mechanism.left_alone()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::side::Side;
    use crate::wire::zmtp::config::ConnectionConfig;
    use std::io::IoSlice;
    use std::sync::Arc;

    /// As many messages as are taken at once, and one less: nothing of their key stream is left when the input is
    /// used up.
    #[cfg(feature = "_curve")]
    #[test]
    fn no_key_stream_is_left_behind_the_last_frame() {
        use crate::auth::keys::cipher::{Boxes, Cipher};
        use crate::message::frame::FrameKind;
        use crate::wire::zmtp::mechanism::{Opener, Scratch, Sealer};

        let now = Instant::now();
        let config = Arc::new(ConnectionConfig::default());
        let key = Boxes::agree(&Boxes::public_key(&[1; 32]), &[2; 32]).unwrap();
        for count in [1, EVENTS_AT_ONCE - 1, EVENTS_AT_ONCE, EVENTS_AT_ONCE + 1] {
            let mut one = Connection::new(config.clone(), Side::Accepting, [1; 32], now);
            let other = Connection::new(config.clone(), Side::Connecting, [2; 32], now);
            let mut slices = [IoSlice::new(&[]); 8];
            let slots = other.slices(&mut slices);
            let mut handshake: Vec<u8> =
                slices[..slots].iter().flat_map(|slice| slice.to_vec()).collect();
            one.handle_input(&mut handshake, now).unwrap();
            while one.poll_event().is_some() {}
            one.decoder.open_with(Opener::new(&key, *b"CurveZMQMESSAGEC", 0));
            let (mut sealer, mut sealed) = (Sealer::at(1), Vec::new());
            for _ in 0..count {
                let scratch = &mut Scratch::default();
                sealer.seal(scratch, &mut sealed, FrameKind::Last, &[b"short"]);
            }
            let mut rest = &mut sealed[..];
            while !rest.is_empty() {
                let taken = one.handle_some(rest, now).unwrap();
                rest = &mut rest[taken..];
                assert!(one.decoder.has_rested() || !rest.is_empty(), "{count} messages");
                while one.poll_event().is_some() {}
            }
        }
    }

    #[test]
    fn a_burst_of_messages_leaves_no_room_behind() {
        let now = Instant::now();
        let config = Arc::new(ConnectionConfig::default());
        let mut one = Connection::new(config.clone(), Side::Accepting, [1; 32], now);
        let other = Connection::new(config, Side::Connecting, [2; 32], now);
        let mut slices = [IoSlice::new(&[]); 8];
        let count = other.slices(&mut slices);
        let mut handshake: Vec<u8> =
            slices[..count].iter().flat_map(|slice| slice.to_vec()).collect();
        handshake.extend([0; 2].repeat(10_000));
        one.handle_input(&mut handshake, now).unwrap();
        assert_eq!(std::iter::from_fn(|| one.poll_event()).count(), 10_001);
        assert!(one.events.is_drained());
    }
}
