//! One link: bytes in, bytes and actions out.

mod calling;
mod serving;

use super::calls::KaaCalls;
use super::config::Config;
use super::requests::KaaRequests;
use super::{PACKETS_AT_ONCE, UNFOLDED_AT_ONCE, entropy_of, settings_of};
use crate::base::budget::FloodBudget;
use crate::base::side::Side;
use crate::base::slab::{Key, MachineId};
use crate::call::peer::PeerInfo;
use crate::call::{Action, Outcome, PeerId};
use crate::dialect::kaa::pickle::body::PickleBounds;
use crate::dialect::kaa::pickle::read::BadPickle;
use crate::dialect::kaa::pickle::write::Reads;
use crate::error::{Executed, Misbehaved, PeerError, Reason};
use crate::message::packet::PacketKind;
use crate::wire::kaa::connection::{PacketConnection, PacketEvent};
use bytes::Bytes;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::VecDeque;
use std::io::IoSlice;
use std::sync::Arc;
use std::time::Instant;

/// One link of kaa.rpc.
///
/// It is driven as [`pseud::Channel`](crate::pseud::Channel) is, in the same five steps:
///
/// 1. after anything you do to it, drain [`poll_action`](Self::poll_action) until `None`;
/// 2. write [`slices`](Self::slices) and [`advance`](Self::advance) by what was written;
/// 3. wait for input, a command of yours, or [`poll_timeout`](Self::poll_timeout);
/// 4. tell the channel, and go to 1;
/// 5. after an `Err(PeerError)`, the stream's end, or an [`Action::Close`] it takes no more input:
///    drain, write what `slices` still holds (at most 1 s), close.
///
/// [`Action::Joined`] says that the peer has shown that it knows the secret; calls that were made before
/// wait for that. A wrong secret is [`Insecure::WrongSecret`](crate::Insecure) where it is seen, and
/// [`Insecure::SecretRefused`](crate::Insecure) at a client whose server goes without a word.
///
/// ```
/// use pseud_proto::kaa::{Channel, Config};
/// use pseud_proto::zmtp::Side;
/// use std::io::IoSlice;
/// use std::sync::Arc;
/// use std::time::Instant;
///
/// let (config, now) = (Arc::new(Config::new("s3cret")), Instant::now());
/// let mut client = Channel::new(config.clone(), Side::Connecting, [1; 32], now);
/// let mut server = Channel::new(config, Side::Accepting, [2; 32], now);
/// // What one writes the other reads, as if a stream were between them.
/// for (from, to) in [(0, 1), (1, 0), (0, 1), (1, 0), (0, 1)] {
///     let mut both = [&mut client, &mut server];
///     let mut slices = [IoSlice::new(&[]); 8];
///     let count = both[from].slices(&mut slices);
///     let mut bytes: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.to_vec()).collect();
///     both[from].advance(bytes.len(), now);
///     both[to].handle_input(&mut bytes, now)?;
/// }
/// assert!(client.peer().is_some() && server.peer().is_some()); // each has shown that it knows the secret
/// # Ok::<_, pseud_proto::PeerError>(())
/// ```
#[derive(Debug)]
pub struct Channel {
    config: Arc<Config>,
    connection: PacketConnection,
    side: Side,
    address: String,
    machine: MachineId,
    calls: KaaCalls,
    requests: KaaRequests,
    actions: VecDeque<Action>,
    /// Bytes that packets have unfolded to since `actions` was empty.
    unfolded: usize,
    info: Option<Arc<PeerInfo>>,
    /// What of the peer's packets brought nothing.
    flood: FloodBudget,
    /// Answers that may come though nobody waits for them any more.
    answers_due: u32,
    reads: Reads,
    draining: bool,
    over: Option<Reason>,
}

impl Channel {
    /// A channel over a fresh stream. The seed is the entropy of its challenge: 32 bytes that nobody can
    /// guess, and new ones for each link.
    pub fn new(config: Arc<Config>, side: Side, seed: [u8; 32], now: Instant) -> Self {
        let mut random = ChaCha20Rng::from_seed(seed);
        let entropy = entropy_of(&mut random);
        let machine = MachineId(random.next_u32());
        let settings = settings_of(&config);
        let secret = config.secret.clone();
        Self {
            connection: PacketConnection::new(settings, secret, side, entropy, now),
            config,
            side,
            address: String::new(),
            machine,
            calls: KaaCalls::new(machine),
            requests: KaaRequests::new(machine, id_of(machine)),
            actions: VecDeque::new(),
            unfolded: 0,
            info: None,
            flood: FloodBudget::default(),
            answers_due: 0,
            reads: Reads::Any,
            draining: false,
            over: None,
        }
    }

    /// The same, its peer connecting from that address: for logs.
    #[must_use]
    pub fn with_address(mut self, address: impl Into<String>) -> Self {
        self.address = address.into();
        self
    }

    /// Bytes came. All of them are taken, and every packet in them is unfolded, to `body_bytes_max` each:
    /// [`handle_some`](Self::handle_some) bounds what that takes.
    ///
    /// # Errors
    /// The peer broke the protocol, or does not know the secret: this link is over, and all its calls
    /// have ended.
    pub fn handle_input(&mut self, input: &mut [u8], now: Instant) -> Result<(), PeerError> {
        self.take(input, (usize::MAX, usize::MAX), now)
    }

    /// The same; of the packets in it some may be left where they are, until
    /// [`handle_waiting`](Self::handle_waiting): those behind the first few, or behind some that say much.
    /// What they gave rise to is to be drained first.
    ///
    /// # Errors
    /// As [`handle_input`](Self::handle_input).
    pub fn handle_some(&mut self, input: &mut [u8], now: Instant) -> Result<(), PeerError> {
        self.take(input, (PACKETS_AT_ONCE, UNFOLDED_AT_ONCE), now)
    }

    /// The next few packets that came before have their turn.
    ///
    /// # Errors
    /// As [`handle_input`](Self::handle_input).
    pub fn handle_waiting(&mut self, now: Instant) -> Result<(), PeerError> {
        self.take(&[], (PACKETS_AT_ONCE, UNFOLDED_AT_ONCE), now)
    }

    /// Whether packets that came wait for [`handle_waiting`](Self::handle_waiting).
    pub fn has_waiting(&self) -> bool {
        self.over.is_none() && self.connection.has_packet()
    }

    fn take(
        &mut self,
        input: &[u8],
        at_once: (usize, usize),
        now: Instant,
    ) -> Result<(), PeerError> {
        if self.over.is_some() {
            return Ok(());
        }
        self.connection.handle_input(input);
        let result = self.look(at_once, now);
        self.ended_by(result)
    }

    /// Looks at so many packets, and as many as unfold to so many bytes.
    fn look(
        &mut self,
        (packets_max, bytes_max): (usize, usize),
        now: Instant,
    ) -> Result<(), PeerError> {
        for _ in 0..packets_max {
            if self.over.is_some() || self.unfolded > bytes_max {
                break;
            }
            let Some(event) = self.connection.poll_event(now)? else { return Ok(()) };
            let unfolded = match event {
                PacketEvent::Open => self.open(),
                PacketEvent::Packet(seq, PacketKind::Call, payload) => self.called(seq, payload),
                PacketEvent::Packet(seq, kind, payload) => {
                    self.answered(seq, kind, &payload, now)?
                }
                PacketEvent::Useless => self.count_noise(now)?,
            };
            self.unfolded = self.unfolded.saturating_add(unfolded);
        }
        // The last of them may have been the last that is whole: then a part of one has its deadline.
        if self.over.is_none() && !self.connection.has_packet() {
            self.connection.poll_event(now)?;
        }
        Ok(())
    }

    /// The stream ended.
    ///
    /// # Errors
    /// It ended inside the handshake or a packet. The calls have ended either way.
    pub fn handle_eof(&mut self, _now: Instant) -> Result<(), PeerError> {
        if self.over.is_some() {
            return Ok(());
        }
        let result = self.connection.handle_eof();
        if result.is_ok() {
            self.end(Reason::PeerGone);
        }
        self.ended_by(result)
    }

    /// Time has passed.
    ///
    /// # Errors
    /// The handshake took too long, or a packet stands still: this link is over.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), PeerError> {
        for call in self.calls.overdue(now) {
            self.give_up(call, Reason::TimedOut);
        }
        if self.over.is_some() {
            return Ok(());
        }
        let result = self.connection.handle_timeout(now);
        self.ended_by(result)
    }

    /// The earliest moment at which [`handle_timeout`](Self::handle_timeout) has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let link = self.connection.poll_timeout().filter(|_| self.over.is_none());
        match (link, self.calls.poll_timeout()) {
            (Some(link), Some(calls)) => Some(link.min(calls)),
            (link, calls) => link.or(calls),
        }
    }

    /// The next thing to do.
    pub fn poll_action(&mut self) -> Option<Action> {
        let next = self.actions.pop_front();
        if self.actions.is_empty() {
            self.unfolded = 0;
        }
        next
    }

    /// Fills `out` with what is to be written, in order; returns how many slices it filled.
    pub fn slices<'a>(&'a self, out: &mut [IoSlice<'a>]) -> usize {
        self.connection.slices(out)
    }

    /// That many bytes of [`slices`](Self::slices) were written.
    pub fn advance(&mut self, written: usize, _now: Instant) {
        self.connection.advance(written);
    }

    /// Takes no new requests, and what is open goes on.
    pub fn drain(&mut self) {
        self.draining = true;
    }

    /// Whether no call and no request is open, and every answer is written.
    pub fn is_idle(&self) -> bool {
        self.calls.len() == 0 && self.requests.is_empty() && self.connection.backlog() == 0
    }

    /// Ends everything: every call as `Closed`, the link as [`Reason::Shutdown`].
    pub fn shutdown(&mut self, _now: Instant) {
        self.end(Reason::Shutdown);
    }

    /// Ends the link for that reason: its calls end, and an [`Action::Close`] follows.
    pub fn disconnect(&mut self, reason: Reason) {
        self.end(reason);
    }

    /// The session, once the peer is authenticated and until the link ends.
    pub fn peer(&self) -> Option<PeerId> {
        (self.info.is_some() && self.over.is_none()).then(|| self.id())
    }

    /// Bytes to write.
    pub fn backlog(&self) -> usize {
        self.connection.backlog()
    }

    fn id(&self) -> PeerId {
        id_of(self.machine)
    }

    fn open(&mut self) -> usize {
        let info = PeerInfo::new(Bytes::new())
            .with_user(self.config.user.clone())
            .with_address(self.address.clone())
            .with_side(self.side);
        let info = Arc::new(info);
        self.actions.push_back(Action::Joined(self.id(), info.clone()));
        self.info = Some(info);
        while self.calls.release(|packet| self.connection.put(packet)) {}
        0
    }

    fn bounds(&self) -> PickleBounds {
        let limits = &self.config.limits;
        PickleBounds::new(&limits.values, limits.body_bytes_max)
    }

    fn count_noise(&mut self, now: Instant) -> Result<usize, PeerError> {
        match self.flood.spend(self.config.limits.flood, now) {
            true => Ok(0),
            false => Err(Misbehaved::Flood.into()),
        }
    }

    fn ended_by(&mut self, result: Result<(), PeerError>) -> Result<(), PeerError> {
        if let Err(error) = result {
            self.end(error.into());
        }
        result
    }

    /// The link is over. A call whose packet was not written to its last byte has reached nobody.
    fn end(&mut self, reason: Reason) {
        if self.over.is_some() {
            return;
        }
        self.over = Some(reason);
        let written = self.connection.written();
        for call in self.calls.all() {
            let Some(known) = self.calls.remove(call) else { continue };
            let has_left =
                known.waiting.is_none() && self.may_have_left(known.end, written, reason);
            let executed = if has_left { Executed::Maybe } else { Executed::No };
            self.actions.push_back(Action::Finish { call, outcome: outcome_of(executed, reason) });
        }
        for request in self.requests.all() {
            self.requests.close(request);
            self.actions.push_back(Action::Cancelled(request));
        }
        if self.info.is_some() {
            self.actions.push_back(Action::Left(self.id(), reason));
        }
        self.actions.push_back(Action::Close(self.id(), reason));
    }

    /// A link that we end may have its bytes written meanwhile, and what is left is written after.
    fn may_have_left(&self, end: u64, written: u64, reason: Reason) -> bool {
        end <= written || reason != Reason::PeerGone
    }
}

/// The one session of a channel.
fn id_of(machine: MachineId) -> PeerId {
    PeerId(Key { machine, index: 0, generation: 0 })
}

fn outcome_of(executed: Executed, reason: Reason) -> Outcome {
    match (executed, reason) {
        (executed, Reason::Shutdown) => Outcome::Closed { executed },
        (Executed::No, reason) => Outcome::NotExecuted(reason),
        (Executed::Maybe, reason) => Outcome::Unknown(reason),
    }
}

fn is_too_large(bad: &BadPickle) -> bool {
    matches!(bad, BadPickle::NodeLimit(_) | BadPickle::SizeLimit(_))
}
