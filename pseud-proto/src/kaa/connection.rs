//! One link of an endpoint of many peers: packets on the wire, messages within.

use super::config::Config;
use super::{PACKETS_AT_ONCE, SERVER, UNFOLDED_AT_ONCE, entropy_of, settings_of};
use crate::auth::mechanism_name::MechanismName;
use crate::auth::socket_type::SocketType;
use crate::base::side::Side;
use crate::call::profile::{Capabilities, Profile};
use crate::call::siblings::Siblings;
use crate::dialect::kaa::message::{Messages, ReadPacket, WrittenMessage};
use crate::error::{Misbehaved, PeerError};
use crate::message::framed::Framed;
use crate::message::outgoing::{Outgoing, Token};
use crate::message::packet::PacketKind;
use crate::message::parts::Parts;
use crate::wire::kaa::connection::{PacketConnection as Wire, PacketEvent as Packet};
use crate::wire::zmtp::{Event, Ready};
use bytes::Bytes;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use std::collections::VecDeque;
use std::io::IoSlice;
use std::sync::Arc;
use std::time::Instant;

/// One link, for drivers of an [`Endpoint`](crate::pseud::Endpoint): what
/// [`zmtp::Connection`](crate::zmtp::Connection) is for ZMTP.
///
/// It tells the same [`Event`]s and [sends](Self::send_framed) the same messages, so that one endpoint serves
/// links of both kinds. Its peer is ready once it has shown that it knows the secret; the server that a
/// client has connected to is known by the identity [`SERVER`].
#[derive(Debug)]
pub struct Connection {
    config: Arc<Config>,
    wire: Wire,
    side: Side,
    messages: Messages,
    /// What came, for [`poll_event`](Self::poll_event) alone.
    events: VecDeque<Event>,
    /// Of messages among them.
    event_bytes: usize,
    /// The ends of calls that no pickle says.
    unsaid: VecDeque<Event>,
    /// Messages by the byte they end at.
    tokens: VecDeque<(u64, Token)>,
    is_over: bool,
}

impl Connection {
    /// A connection over a fresh stream. The seed is the entropy of its challenge: 32 bytes that nobody
    /// can guess, and new ones for each link.
    pub fn new(config: Arc<Config>, side: Side, seed: [u8; 32], now: Instant) -> Self {
        let entropy = entropy_of(&mut ChaCha20Rng::from_seed(seed));
        let settings = settings_of(&config);
        let limits = &config.limits;
        let max = config.packet_bytes_max;
        let pending = limits.calls_pending_per_peer_max;
        let messages = Messages::new(&limits.values, limits.body_bytes_max, max, pending);
        Self {
            wire: Wire::new(settings, config.secret.clone(), side, entropy, now),
            config,
            side,
            messages,
            events: VecDeque::new(),
            event_bytes: 0,
            unsaid: VecDeque::new(),
            tokens: VecDeque::new(),
            is_over: false,
        }
    }

    /// Bytes came. All of them are taken, and every packet in them is unfolded, to `body_bytes_max` each:
    /// [`handle_some`](Self::handle_some) bounds what that takes.
    ///
    /// # Errors
    /// The peer broke the protocol, or does not know the secret: this link is over. What came before
    /// counts.
    pub fn handle_input(&mut self, input: &mut [u8], now: Instant) -> Result<(), PeerError> {
        self.take(input, usize::MAX, usize::MAX, now)
    }

    /// The same; of the packets in it some may be left where they are, until
    /// [`handle_waiting`](Self::handle_waiting): those behind the first few, or behind some that say much,
    /// whose events are to be [polled](Self::poll_event) first.
    ///
    /// # Errors
    /// As [`handle_input`](Self::handle_input).
    pub fn handle_some(&mut self, input: &mut [u8], now: Instant) -> Result<(), PeerError> {
        self.take(input, PACKETS_AT_ONCE, UNFOLDED_AT_ONCE, now)
    }

    /// The next few packets that came before have their turn.
    ///
    /// # Errors
    /// As [`handle_input`](Self::handle_input).
    pub fn handle_waiting(&mut self, now: Instant) -> Result<(), PeerError> {
        self.take(&mut [], PACKETS_AT_ONCE, UNFOLDED_AT_ONCE, now)
    }

    /// Whether packets that came wait for [`handle_waiting`](Self::handle_waiting).
    pub fn has_waiting(&self) -> bool {
        !self.is_over && self.wire.has_packet()
    }

    /// Whether there are messages that [`poll_event`](Self::poll_event) was not asked for, or packets of
    /// such.
    pub fn has_events(&self) -> bool {
        !self.events.is_empty() || self.has_waiting()
    }

    fn take(
        &mut self,
        input: &mut [u8],
        packets_max: usize,
        bytes_max: usize,
        now: Instant,
    ) -> Result<(), PeerError> {
        if self.is_over {
            return Ok(());
        }
        self.wire.handle_input(input);
        let result = self.read(packets_max, bytes_max, now);
        self.is_over = result.is_err();
        result
    }

    fn read(
        &mut self,
        packets_max: usize,
        bytes_max: usize,
        now: Instant,
    ) -> Result<(), PeerError> {
        for _ in 0..packets_max {
            if self.event_bytes > bytes_max {
                break;
            }
            let Some(packet) = self.wire.poll_event(now)? else { break };
            match packet {
                Packet::Open => self.events.push_back(Event::Ready(Box::new(self.ready()))),
                Packet::Packet(seq, kind, payload) => self.heard(seq, kind, &payload)?,
                Packet::Useless => self.push(Messages::flood()),
            }
        }
        // The last of them may have been the last that is whole: then a part of one has its deadline.
        if !self.wire.has_packet() {
            self.wire.poll_event(now)?;
        }
        Ok(())
    }

    fn heard(&mut self, seq: u32, kind: PacketKind, payload: &[u8]) -> Result<(), PeerError> {
        match self.messages.read(seq, kind, payload) {
            ReadPacket::Message(message) => self.push(message),
            ReadPacket::Answer(packet) => self.answer(packet)?,
        }
        Ok(())
    }

    fn push(&mut self, message: Parts) {
        self.event_bytes += bytes_of(&message);
        self.events.push_back(Event::Message(message));
    }

    /// A peer that sends nonsense and does not read what that is answered is not kept.
    fn answer(&mut self, packet: Vec<u8>) -> Result<(), PeerError> {
        let backlog = self.wire.backlog();
        if backlog != 0 && backlog + packet.len() > self.config.limits.queue_bytes_hard_max {
            return Err(Misbehaved::Flood.into());
        }
        self.wire.put(packet);
        Ok(())
    }

    /// Nobody waits so long for an answer as this wire does: none is ever too late.
    fn ready(&self) -> Ready {
        let profile = Profile::declared(Capabilities::LATE_ANSWERS, self.config.packet_bytes_max);
        let property = profile.property(&Siblings::default());
        let properties = property.map(|(name, value)| (Bytes::from(name), value));
        let identity = match self.side {
            Side::Connecting => Bytes::from_static(SERVER),
            Side::Accepting => Bytes::new(),
        };
        Ready {
            identity,
            socket_type: SocketType::Router,
            minor: 0,
            mechanism: MechanismName::Kaa,
            user: self.config.user.clone(),
            #[cfg(feature = "_curve")]
            client_key: None,
            properties: properties.into_iter().collect(),
        }
    }

    /// The stream ended.
    ///
    /// # Errors
    /// It ended inside the handshake or a packet.
    pub fn handle_eof(&mut self) -> Result<(), PeerError> {
        match std::mem::replace(&mut self.is_over, true) {
            true => Ok(()),
            false => self.wire.handle_eof(),
        }
    }

    /// Time has passed.
    ///
    /// # Errors
    /// The handshake took too long, or a packet stands still: this link is over.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), PeerError> {
        if self.is_over {
            return Ok(());
        }
        let result = self.wire.handle_timeout(now);
        self.is_over = result.is_err();
        result
    }

    /// The earliest moment at which [`handle_timeout`](Self::handle_timeout) has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.wire.poll_timeout().filter(|_| !self.is_over)
    }

    /// The next thing that has happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        let Some(event) = self.events.pop_front() else { return self.poll_written() };
        if let Event::Message(message) = &event {
            self.event_bytes -= bytes_of(message);
        }
        Some(event)
    }

    /// The same, ahead of what came: what was written, and calls of ours that are not executed since no
    /// pickle says them.
    pub fn poll_written(&mut self) -> Option<Event> {
        if let Some(event) = self.unsaid.pop_front() {
            return Some(event);
        }
        let (end, token) = *self.tokens.front()?;
        if end > self.wire.written() {
            return None;
        }
        self.tokens.pop_front();
        Some(Event::Written(token))
    }

    /// Queues messages of an endpoint's. A result that no pickle says is answered as an exception; a
    /// call that none says is not sent, and an event tells that it was not executed: look at
    /// [`poll_written`](Self::poll_written) after it.
    pub fn send_framed(&mut self, messages: Framed<'_>, Token(last): Token) {
        let len = messages.len();
        messages.each(|message, end| self.send(&message, Token(last - (len - end) as u64)));
    }

    fn send(&mut self, message: &Outgoing<'_>, token: Token) {
        let end = match self.messages.write(message) {
            WrittenMessage::Packet(packet) => self.wire.put(packet),
            WrittenMessage::Refused(answer) => {
                self.unsaid.push_back(Event::Message(answer));
                self.wire.end()
            }
            WrittenMessage::Nothing => self.wire.end(),
        };
        self.tokens.push_back((end, token));
    }

    /// Fills `out` with what is to be written, in order; returns how many slices it filled.
    pub fn slices<'a>(&'a self, out: &mut [IoSlice<'a>]) -> usize {
        self.wire.slices(out)
    }

    /// That many bytes of [`slices`](Self::slices) were written.
    pub fn advance(&mut self, written: usize) {
        self.wire.advance(written);
    }

    /// Bytes that it takes to keep what has come and was not asked for: a partial packet, packets that wait,
    /// and the messages of such.
    pub fn partial_bytes(&self) -> usize {
        self.wire.held() + self.event_bytes
    }

    /// Bytes queued and not written.
    pub fn backlog(&self) -> usize {
        self.wire.backlog()
    }
}

fn bytes_of(message: &Parts) -> usize {
    message.iter().map(<[u8]>::len).sum()
}
