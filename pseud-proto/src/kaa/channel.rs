//! One link: bytes in, bytes and actions out.

use super::calls::{KaaCall, KaaCalls};
use super::config::Config;
use super::requests::KaaRequests;
use super::{entropy_of, settings_of};
use crate::base::budget::FloodBudget;
use crate::base::deadline::after;
use crate::base::side::Side;
use crate::base::slab::{Key, MachineId};
use crate::call::peer::PeerInfo;
use crate::call::{Action, CallId, CallOptions, Outcome, PeerId, Request, RequestId, Ticket};
use crate::dialect::kaa::pickle::body::PickleBounds;
use crate::dialect::kaa::pickle::read::BadPickle;
use crate::dialect::kaa::pickle::write::{Reads, Unwritable};
use crate::dialect::kaa::{
    is_python2, read_call, read_fault, read_result, write_call, write_fault, write_result,
};
use crate::error::{
    CallRefused, Exception, Executed, Fault, Misbehaved, PeerError, Reason, Refusal,
};
use crate::message::packet::PacketKind;
use crate::rpc::config::CALL_TIMEOUT_MAX;
use crate::value::{Packed, Unchecked};
use crate::wire::kaa::connection::{PacketConnection, PacketEvent};
use bytes::Bytes;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::VecDeque;
use std::io::IoSlice;
use std::sync::Arc;
use std::time::Instant;

/// The longest name of a command.
const NAME_BYTES_MAX: usize = 255;

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

    /// Bytes came. All of them are taken.
    ///
    /// # Errors
    /// The peer broke the protocol, or does not know the secret: this link is over, and all its calls
    /// have ended.
    pub fn handle_input(&mut self, input: &mut [u8], now: Instant) -> Result<(), PeerError> {
        if self.over.is_some() {
            return Ok(());
        }
        self.connection.handle_input(input);
        let result = self.read_all(now);
        self.ended_by(result)
    }

    fn read_all(&mut self, now: Instant) -> Result<(), PeerError> {
        while self.over.is_none()
            && let Some(event) = self.connection.poll_event(now)?
        {
            match event {
                PacketEvent::Open => self.open(),
                PacketEvent::Packet(seq, PacketKind::Call, payload) => self.called(seq, payload),
                PacketEvent::Packet(seq, kind, payload) => {
                    self.answered(seq, kind, &payload, now)?
                }
                PacketEvent::Useless => self.count_noise(now)?,
            }
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
        self.actions.pop_front()
    }

    /// Fills `out` with what is to be written, in order; returns how many slices it filled.
    pub fn slices<'a>(&'a self, out: &mut [IoSlice<'a>]) -> usize {
        self.connection.slices(out)
    }

    /// That many bytes of [`slices`](Self::slices) were written.
    pub fn advance(&mut self, written: usize, _now: Instant) {
        self.connection.advance(written);
    }

    /// Calls the peer. Before the handshake is over the call waits for it.
    ///
    /// # Errors
    /// [`CallRefused`], with nothing sent.
    pub fn call(
        &mut self,
        name: &str,
        arguments: Packed,
        options: CallOptions,
        now: Instant,
    ) -> Result<CallId, CallRefused> {
        self.check_call(name, &arguments, &options)?;
        let seq = self.calls.next_seq();
        let max = self.config.packet_bytes_max;
        let packet = write_call(seq, name, arguments.as_bytes(), max, self.reads);
        let packet = packet.map_err(|why| match why {
            Unwritable::TooLarge { max } => CallRefused::BodyTooLarge { size: max + 1, max },
            Unwritable::Unknown(why) => CallRefused::Arguments(why.into()),
        })?;
        let wait = options.timeout.unwrap_or(self.config.call_timeout).min(CALL_TIMEOUT_MAX);
        let mut call = KaaCall { seq, deadline: after(now, wait), waiting: None, end: 0 };
        let is_told = options.origin.is_none() && self.over.is_none();
        match self.connection.is_open() {
            true if is_told => call.end = self.connection.put(packet),
            _ => call.waiting = Some(packet),
        }
        let id = self.calls.insert(call);
        if options.origin.is_some() {
            // Nothing on this wire says in whose name a call is made.
            self.finish(id, Outcome::NotExecuted(Reason::Unsupported));
        } else if let Some(reason) = self.over {
            self.finish(id, outcome_of(Executed::No, reason));
        }
        Ok(id)
    }

    fn check_call(
        &self,
        name: &str,
        arguments: &Packed,
        options: &CallOptions,
    ) -> Result<(), CallRefused> {
        let limits = &self.config.limits;
        let queued = self.connection.backlog() + self.calls.waiting_bytes();
        match () {
            () if name.is_empty() => Err(CallRefused::NameEmpty),
            () if name.len() > NAME_BYTES_MAX => {
                Err(CallRefused::NameTooLong { size: name.len(), max: NAME_BYTES_MAX })
            }
            () if !arguments.is_call() => Err(CallRefused::Arguments(
                "a result is no arguments: they are made by Packed::call".into(),
            )),
            () if options.hops > limits.hops_max => {
                Err(CallRefused::TooManyHops { max: limits.hops_max })
            }
            () if self.calls.len() >= limits.calls_pending_per_peer_max => {
                Err(CallRefused::TooManyPending { max: limits.calls_pending_per_peer_max })
            }
            () if queued > limits.queue_bytes_soft_max => {
                Err(CallRefused::QueueFull { queued, max: limits.queue_bytes_soft_max })
            }
            () => match arguments.over(&limits.values) {
                Some((size, max, what)) => Err(CallRefused::OverLimit { size, max, what }),
                None => Ok(()),
            },
        }
    }

    /// Counts what decoding a request's arguments may take: see
    /// [`Endpoint::charge`](crate::pseud::Endpoint::charge).
    ///
    /// # Errors
    /// What it is to be [refused](Self::refuse) with.
    pub fn charge(&mut self, ticket: &Ticket, bytes: usize) -> Result<(), Refusal> {
        self.requests.grow(ticket.request(), bytes, &self.config.limits)
    }

    /// Answers a request. A result that no pickle says, or a too large one, is answered as a fault.
    pub fn reply(&mut self, ticket: Ticket, result: Result<Packed, Fault>, _now: Instant) {
        let Some(seq) = self.requests.close(ticket.request()) else { return };
        if self.over.is_some() {
            return;
        }
        let written = match result {
            Ok(body) if body.is_call() => Err(Fault::new("TypeError", "arguments are no result")),
            Ok(body) => self.write_result(seq, &body),
            Err(fault) => Err(fault),
        };
        match written {
            Ok(packet) if self.has_room(packet.len()) => drop(self.connection.put(packet)),
            Ok(_) => {
                let max = self.config.limits.queue_bytes_hard_max;
                let refusal = Refusal::Overloaded { max, what: "bytes of answers are queued" };
                self.raise(seq, refusal.to_fault());
            }
            Err(fault) => self.raise(seq, fault),
        }
    }

    fn write_result(&self, seq: u32, body: &Packed) -> Result<Vec<u8>, Fault> {
        let limits = &self.config.limits;
        if let Some((size, max, what)) = body.over(&limits.values) {
            return Err(Fault::new("TooLarge", format!("a result of {size} {what}, limit {max}")));
        }
        let max = self.config.packet_bytes_max;
        write_result(seq, body.as_bytes(), max, self.reads).map_err(|why| match why {
            Unwritable::TooLarge { max } => {
                Fault::new("TooLarge", format!("a result of more than {max} bytes"))
            }
            Unwritable::Unknown(why) => Fault::new(Exception::TypeError, why),
        })
    }

    /// The first packet in the queue does not count: one of any size passes.
    fn has_room(&self, bytes: usize) -> bool {
        let backlog = self.connection.backlog();
        backlog == 0 || backlog + bytes <= self.config.limits.queue_bytes_hard_max
    }

    /// Answers with an exception; a peer that does not even read these does not read.
    fn raise(&mut self, seq: u32, mut fault: Fault) {
        if !self.config.expose_traceback {
            fault.traceback = None;
        }
        let max = self.config.packet_bytes_max;
        let packet = write_fault(seq, &fault, max).or_else(|_| {
            let large = Fault::new("TooLarge", "an exception of more bytes than a packet may have");
            write_fault(seq, &large, usize::MAX)
        });
        match packet {
            Ok(packet) if self.has_room(packet.len()) => drop(self.connection.put(packet)),
            _ => self.end(Reason::SlowPeer),
        }
    }

    /// Answers a request whose handler was not run. The wire has no word for that: it is an exception.
    pub fn refuse(&mut self, ticket: Ticket, refusal: &Refusal, now: Instant) {
        self.reply(ticket, Err(refusal.to_fault()), now);
    }

    /// A handler ended without an answer: its caller is told so.
    pub fn abandon(&mut self, ticket: Ticket, now: Instant) {
        let fault = Fault::new(Exception::RuntimeError, "the handler ended without an answer");
        self.reply(ticket, Err(fault), now);
    }

    /// Gives a call up: it ends as `Cancelled` (or, where it had left, may have run). An answer that
    /// comes later is dropped.
    pub fn cancel(&mut self, call: CallId, _now: Instant) {
        self.give_up(call, Reason::Cancelled);
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

    /// Whether that request may still be answered.
    pub fn is_open(&self, request: RequestId) -> bool {
        self.requests.is_open(request)
    }

    /// Bytes to write.
    pub fn backlog(&self) -> usize {
        self.connection.backlog()
    }

    fn id(&self) -> PeerId {
        id_of(self.machine)
    }

    fn open(&mut self) {
        let info = PeerInfo::new(Bytes::new())
            .with_user(self.config.user.clone())
            .with_address(self.address.clone())
            .with_side(self.side);
        let info = Arc::new(info);
        self.actions.push_back(Action::Joined(self.id(), info.clone()));
        self.info = Some(info);
        while self.calls.release(|packet| self.connection.put(packet)) {}
    }

    fn bounds(&self) -> PickleBounds {
        let limits = &self.config.limits;
        PickleBounds::new(&limits.values, limits.body_bytes_max)
    }

    /// A CALL. Whoever made it waits for an answer without end: it gets one whatever is wrong with it,
    /// where the reference says nothing.
    fn called(&mut self, seq: u32, payload: Bytes) {
        if is_python2(&payload) {
            self.reads = Reads::Python2;
        }
        if let Err(fault) = self.serve(seq, &payload) {
            self.raise(seq, fault);
        }
    }

    fn serve(&mut self, seq: u32, payload: &[u8]) -> Result<(), Fault> {
        let limits = &self.config.limits;
        if self.draining {
            return Err(Refusal::Draining.to_fault());
        }
        let size = payload.len();
        let work = read_call(payload, self.bounds()).map_err(|bad| bad_call(&bad))?;
        let Some(name) = work.name.filter(|name| name.len() <= NAME_BYTES_MAX) else {
            let text = "a command is a text of at most 255 bytes";
            return Err(Fault::new(Exception::KeyError, text));
        };
        let message = [name.as_bytes(), &work.arguments].concat();
        let size = size.max(message.len());
        let request = self.requests.open(seq, size, limits);
        let request = request.map_err(|refusal| refusal.to_fault())?;
        let (name, all) = (name.len() as u32, message.len() as u32);
        let Some(caller) = self.info.clone() else { return Ok(()) };
        self.actions.push_back(Action::Serve(Request {
            ticket: Ticket(request),
            peer: self.id(),
            caller,
            message: message.into(),
            name: 0..name,
            rest: name..all,
            has_claim: false,
            hops_max: limits.hops_max,
        }));
        Ok(())
    }

    /// A RETN or an EXCP. One that nobody waits for is dropped; the reference loses what it read behind
    /// it.
    fn answered(
        &mut self,
        seq: u32,
        kind: PacketKind,
        payload: &[u8],
        now: Instant,
    ) -> Result<(), PeerError> {
        let Some(call) = self.calls.by_seq(seq) else {
            match self.answers_due.checked_sub(1) {
                Some(due) => self.answers_due = due,
                None => self.count_noise(now)?,
            }
            return Ok(());
        };
        let outcome = match kind {
            PacketKind::Retn => match read_result(payload, self.bounds()) {
                Ok(body) => Outcome::Value(Unchecked::new(body).of(self.id())),
                Err(bad) if is_too_large(&bad) => Outcome::Executed(Reason::TooLarge),
                Err(_) => Outcome::Executed(Reason::BadReply),
            },
            _ => match read_fault(payload, self.bounds()) {
                Some(fault) => Outcome::Fault(fault),
                None => Outcome::Unknown(Reason::BadReply),
            },
        };
        self.finish(call, outcome);
        Ok(())
    }

    fn count_noise(&mut self, now: Instant) -> Result<(), PeerError> {
        match self.flood.spend(self.config.limits.flood, now) {
            true => Ok(()),
            false => Err(Misbehaved::Flood.into()),
        }
    }

    /// Ends a call whose link goes on.
    fn give_up(&mut self, call: CallId, reason: Reason) {
        let Some(known) = self.calls.remove(call) else { return };
        let executed = match known.waiting {
            Some(_) => Executed::No,
            None => Executed::Maybe,
        };
        if executed == Executed::Maybe {
            self.answers_due = self.answers_due.saturating_add(1);
        }
        self.actions.push_back(Action::Finish { call, outcome: outcome_of(executed, reason) });
    }

    fn finish(&mut self, call: CallId, outcome: Outcome) {
        if self.calls.remove(call).is_some() {
            self.actions.push_back(Action::Finish { call, outcome });
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

fn bad_call(bad: &BadPickle) -> Fault {
    match is_too_large(bad) {
        true => Fault::new("TooLarge", bad.to_string()),
        false => Refusal::BadCall(bad.to_string().into()).to_fault(),
    }
}
