//! Sealed messages that are opened where they lie, before anybody who takes them is at hand.

use super::decoded::Decoded;
use super::{Connection, Phase};
use crate::error::PeerError;
use crate::message::frame::Header;
use crate::message::incoming::{IncomingBytes, IncomingMessage};
use crate::message::parts::{PartRange, USUAL};
use crate::wire::zmtp::event::Event;
use crate::wire::zmtp::mechanism::{self, OVERHEAD};
use std::fmt;
use std::time::Instant;

/// Messages that [`Connection::open_some`] has opened where they lie. Whoever lets go of some that it has not
/// [received](Self::receive) has lost them: [`Connection::keep_opened`] keeps them.
#[derive(Default)]
pub struct OpenedMessages<'i> {
    /// Whole messages, one behind the other: their frames are sealed no more.
    bytes: &'i [u8],
    /// Where the last one's parts lie.
    first: [PartRange; USUAL],
    more: Vec<PartRange>,
}

impl OpenedMessages<'_> {
    /// Whether there is none left.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Bytes that those left lie in.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The next message, where it lies.
    pub fn receive(&mut self) -> Option<IncomingMessage<'_>> {
        if self.bytes.is_empty() {
            return None;
        }
        self.more.clear();
        let (mut end, mut frames, mut has_more) = (0, 0, true);
        while has_more {
            let frame = self.bytes.get(end..).unwrap_or_default();
            let Some((lead, size)) = lead_and_size(frame) else {
                // Not what was opened: nobody gets to see it.
                self.bytes = &[];
                return None;
            };
            let more = frame.get(lead..).and_then(mechanism::has_more).unwrap_or_default();
            let start = end + lead + OVERHEAD;
            end += lead + size;
            let place = (start as u32, end as u32);
            match self.first.get_mut(frames) {
                Some(first) => *first = place,
                None => self.more.push(place),
            }
            (frames, has_more) = (frames + 1, more);
        }
        let (message, rest) = self.bytes.split_at_checked(end).unwrap_or_default();
        self.bytes = rest;
        let first = self.first.get(..frames).unwrap_or(&self.first);
        Some(IncomingMessage::new(IncomingBytes::Input(message), first, &self.more))
    }
}

/// Bytes of a frame's header, and of its body.
#[inline]
fn lead_and_size(frame: &[u8]) -> Option<(usize, usize)> {
    if let Some((_, size)) = Header::short_part(frame) {
        return Some((2, usize::from(size)));
    }
    Header::decode(frame).map(|header| (header.len(), header.size as usize))
}

/// How much there is; it may be secret.
impl fmt::Debug for OpenedMessages<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenedMessages({} bytes)", self.bytes.len())
    }
}

impl Connection {
    /// Bytes came: opens the next messages that they hold where they lie, `max` at most, and cuts them off
    /// `input`. They came before everything that [`poll_event`](Self::poll_event) and [`receive`](Self::receive) tell
    /// from then on. One that does not lie in one piece is kept and is the last; where something waits to be told
    /// already, or traffic is in clear, it is [`handle_some`](Self::handle_some).
    ///
    /// For drivers that open without a lock what they look at under one. The content of what was cut off and
    /// is not in what was opened is unspecified afterwards.
    ///
    /// # Errors
    /// As [`handle_input`](Self::handle_input); what was opened came before that.
    pub fn open_some<'i>(
        &mut self,
        input: &mut &'i mut [u8],
        max: usize,
        now: Instant,
    ) -> (OpenedMessages<'i>, Result<(), PeerError>) {
        let whole = std::mem::take(input);
        let size = whole.len();
        let (opened, left, result) = self.open_front(whole, max, now);
        let (taken, rest) = whole.split_at_mut(size - left);
        *input = rest;
        let (bytes, _) = taken.split_at(opened);
        (OpenedMessages { bytes, ..OpenedMessages::default() }, result)
    }

    /// How many bytes at the front are messages that were opened, and how many at the end were not taken.
    fn open_front(
        &mut self,
        input: &mut [u8],
        max: usize,
        now: Instant,
    ) -> (usize, usize, Result<(), PeerError>) {
        let (mut opened, mut rest) = (0, input);
        let is_traffic = matches!(self.phase, Phase::Traffic) && self.decoder.is_sealed();
        if !is_traffic || self.has_events() {
            let left = rest.len();
            return match self.handle_some(rest, now) {
                Ok(taken) => (0, left - taken, Ok(())),
                Err(error) => (0, 0, Err(error)),
            };
        }
        for _ in 0..max {
            let left = rest.len();
            let event = match self.next(&mut rest, now) {
                // A command before it is no part of what was opened.
                Ok(Decoded::Message(IncomingBytes::Input(bytes)))
                    if bytes.len() == left - rest.len() =>
                {
                    opened += bytes.len();
                    continue;
                }
                Ok(Decoded::Message(bytes)) => Event::Message(self.received(bytes).into_parts()),
                Ok(Decoded::Event(event)) => event,
                Ok(Decoded::Nothing) => break,
                Err(error) => return (opened, rest.len(), Err(error)),
            };
            // What is behind it is opened once this was told.
            self.keep(event);
            break;
        }
        if rest.is_empty() {
            self.decoder.rest();
        }
        (opened, rest.len(), Ok(()))
    }

    /// Keeps messages that were opened and not received: they are told before all else that waits.
    pub fn keep_opened(&mut self, opened: &mut OpenedMessages<'_>) {
        let behind = std::mem::take(&mut self.events);
        while let Some(message) = opened.receive() {
            let event = Event::Message(message.into_parts());
            self.keep(event);
        }
        behind.into_iter().for_each(|event| self.keep(event));
    }
}

#[cfg(all(test, feature = "_curve"))]
mod tests {
    use super::*;
    use crate::auth::keys::pair::KeyPair;
    use crate::auth::question::Verdict;
    use crate::auth::user::User;
    use crate::base::side::Side;
    use crate::error::Insecure;
    use crate::message::outgoing::{Outgoing, Token};
    use crate::wire::zmtp::command;
    use crate::wire::zmtp::config::ConnectionConfig;
    use crate::wire::zmtp::config::mechanism::MechanismConfig;
    use std::io::IoSlice;
    use std::sync::Arc;

    fn written(connection: &mut Connection) -> Vec<u8> {
        let mut bytes = Vec::new();
        while connection.backlog() > 0 {
            let mut slices = [IoSlice::new(&[]); 8];
            let count = connection.slices(&mut slices);
            let next: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.to_vec()).collect();
            connection.advance(next.len());
            bytes.extend(next);
        }
        bytes
    }

    /// A client and a server behind their handshake.
    fn pair(now: Instant) -> [Connection; 2] {
        let [ours, theirs] = [1, 2].map(|byte| KeyPair::generate([byte; 32]));
        let server_keys = vec![*theirs.public()];
        let client = MechanismConfig::CurveClient { server_keys, key_pair: ours };
        let server = MechanismConfig::CurveServer { key_pairs: vec![theirs] };
        let [mut client, mut server] =
            [(client, Side::Connecting), (server, Side::Accepting)].map(|(mechanism, side)| {
                let config = ConnectionConfig { mechanism, ..ConnectionConfig::default() };
                Connection::new(Arc::new(config), side, [side as u8; 32], now)
            });
        while !client.is_ready() || !server.is_ready() {
            server.handle_input(&mut written(&mut client), now).unwrap();
            while let Some(event) = server.poll_event() {
                if let Event::Ask(_) = event {
                    server.answer(Verdict::Admit(User::default()), now).unwrap();
                }
            }
            client.handle_input(&mut written(&mut server), now).unwrap();
            while client.poll_event().is_some() {}
        }
        [client, server]
    }

    /// Messages of one to seven parts, the first of which is the message's number; behind some of them a
    /// PING. What is written of them.
    fn sent(client: &mut Connection, count: u8) -> Vec<u8> {
        for number in 0..count {
            let frames = [&[number][..], &[7; 40], &[], &[8; 300], &[9], &[10; 223]];
            let frames = &frames[..usize::from(number) % 7];
            let head = if frames.is_empty() { &[number][..] } else { b"last" };
            client.send(Outgoing { frames, head, ..Default::default() }, Token(0));
            if number % 5 == 3 {
                client.put_command(&command::ping(100)).unwrap();
            }
        }
        written(client)
    }

    /// The numbers of the messages that wait.
    fn waiting(server: &mut Connection) -> Vec<u8> {
        let mut numbers = Vec::new();
        while let Some(event) = server.poll_event() {
            if let Event::Message(parts) = event {
                assert_eq!(parts.len(), usize::from(parts.get(0).unwrap()[0]) % 7 + 1);
                numbers.push(parts.get(0).unwrap()[0]);
            }
        }
        numbers
    }

    /// Reads of any size, of which any number of messages is received where it lies, and the others are kept.
    #[test]
    fn messages_keep_their_order_whoever_takes_them() {
        let now = Instant::now();
        for step in [1, 100, 1_000, 5_000, usize::MAX] {
            for received_at_once in [0, 1, 3, usize::MAX] {
                let [mut client, mut server] = pair(now);
                let (mut bytes, mut came) = (sent(&mut client, 100), Vec::new());
                for mut piece in bytes.chunks_mut(step.min(1 << 20)) {
                    while !piece.is_empty() {
                        let (mut opened, told) = server.open_some(&mut piece, 32, now);
                        assert_eq!(told, Ok(()));
                        for _ in 0..received_at_once {
                            let Some(message) = opened.receive() else { break };
                            came.push(message.into_parts().get(0).unwrap()[0]);
                        }
                        server.keep_opened(&mut opened);
                        assert!(opened.is_empty());
                        if received_at_once != 1 || server.events.len() > 20 {
                            came.extend(waiting(&mut server));
                        }
                    }
                    came.extend(waiting(&mut server));
                }
                assert!(came.iter().copied().eq(0..100), "{step}, {received_at_once}: {came:?}");
                assert_eq!(server.stats().pings, 20);
            }
        }
    }

    /// Nothing of the key stream is left behind the last one, also where no more than that may be opened.
    #[test]
    fn no_key_stream_is_left_behind_the_last_message() {
        let now = Instant::now();
        for count in [1, 4, 6, 7] {
            let [mut client, mut server] = pair(now);
            let mut bytes = sent(&mut client, count);
            let mut input = &mut bytes[..];
            while !input.is_empty() {
                let (mut opened, told) = server.open_some(&mut input, usize::from(count), now);
                assert_eq!(told, Ok(()));
                assert!(server.decoder.has_rested() || !input.is_empty(), "{count} messages");
                server.keep_opened(&mut opened);
                waiting(&mut server);
            }
        }
    }

    #[test]
    fn what_came_before_a_forged_frame_is_still_received() {
        let now = Instant::now();
        let [mut client, mut server] = pair(now);
        let mut bytes = sent(&mut client, 3);
        let front = bytes.len();
        bytes.extend(sent(&mut client, 1));
        bytes[front + 2 + OVERHEAD] ^= 1;
        let mut input = &mut bytes[..];
        let (mut opened, told) = server.open_some(&mut input, 32, now);
        assert_eq!(told, Err(Insecure::Box.into()));
        let numbers: Vec<u8> = std::iter::from_fn(|| {
            opened.receive().map(|message| message.into_parts().get(0).unwrap()[0])
        })
        .collect();
        assert_eq!(numbers, [0, 1, 2]);
        assert!(server.receive(&mut Default::default(), now).is_err());
    }

    /// What is not sealed is nothing that was opened.
    #[test]
    fn messages_in_clear_are_kept() {
        let now = Instant::now();
        let config = Arc::new(ConnectionConfig::default());
        let [mut client, mut server] = [Side::Connecting, Side::Accepting]
            .map(|side| Connection::new(config.clone(), side, [side as u8; 32], now));
        server.handle_input(&mut written(&mut client), now).unwrap();
        client.handle_input(&mut written(&mut server), now).unwrap();
        while server.poll_event().is_some() {}
        let mut bytes = sent(&mut client, 3);
        let mut input = &mut bytes[..];
        let (opened, told) = server.open_some(&mut input, 32, now);
        assert!(opened.is_empty() && told.is_ok() && input.is_empty());
        assert_eq!(waiting(&mut server), [0, 1, 2]);
    }
}
