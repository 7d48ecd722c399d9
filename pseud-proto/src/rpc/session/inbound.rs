//! What a received message does: `BaseRPC.dispatch` of Python `pseud/common.py`, kind by kind, where nothing
//! that makes no sense ends the reader.

use crate::base::name::NAME_BYTES_MAX;
use crate::base::slab::Key;
use crate::base::text::cut;
use crate::call::dropped::Dropped;
use crate::call::late_guard::Guard;
use crate::call::open_request::OpenRequest;
use crate::call::profile::Capabilities;
use crate::call::wire_id::WireId;
use crate::call::{Outcome, RequestId};
use crate::dialect::fault;
use crate::dialect::goaway;
use crate::dialect::{Envelope, Kind, Received, Work, read_work};
use crate::error::{Malformed, Misbehaved, PeerError, Reason, Refusal};
use crate::message::parts::Lent;
use crate::message::too_large::TooLarge;
use crate::rpc::budget::Portion;
use crate::rpc::config::Limits;
use crate::rpc::session::Session;
use crate::rpc::session::replay_window::{Known, fingerprint};
use crate::rpc::session::sink::Sink;
use crate::rpc::session::visit::{Arrived, Located, Visit};
use crate::rpc::stats::Counted;
use smol_str::SmolStr;
use std::time::Instant;

impl Session {
    /// A message came. It is looked at where it lies: whoever needs it longer copies it.
    ///
    /// # Errors
    /// Only where the link must close: tell [`handle_gone`](Self::handle_gone). A message that makes
    /// no sense is dropped and counted, and the link stays.
    pub fn visit(
        &mut self,
        message: Lent<'_>,
        now: Instant,
        portion: &mut Portion<'_>,
        sink: &mut impl Sink,
    ) -> Result<Visit, PeerError> {
        if self.ended.is_some() {
            sink.count(Counted::Dropped(Dropped::Stale));
            return Ok(Visit::Nothing);
        }
        match Received::read(message) {
            Received::Envelope(envelope) => {
                let bytes = message.bytes().len();
                return self.visit_envelope(&envelope, bytes, now, portion, sink);
            }
            Received::Probe => {
                sink.count(Counted::Probe);
                self.flood(now)?;
            }
            Received::OtherVersion(work) => {
                if let Some(id) = work {
                    self.report_version(id, now, sink);
                }
                self.drop_message(Dropped::Version, now, sink)?;
            }
            Received::Dropped(cause) => self.drop_message(cause, now, sink)?,
        }
        Ok(Visit::Nothing)
    }

    /// Counts a message that brings nothing.
    pub(super) fn flood(&mut self, now: Instant) -> Result<(), PeerError> {
        let limit = self.config.limits.flood;
        if self.flood.spend(limit, now) { Ok(()) } else { Err(Misbehaved::Flood.into()) }
    }

    pub(super) fn drop_message(
        &mut self,
        cause: Dropped,
        now: Instant,
        sink: &mut impl Sink,
    ) -> Result<(), PeerError> {
        sink.count(Counted::Dropped(cause));
        self.flood(now)?;
        if cause == Dropped::BadEnvelope {
            self.bad_envelopes += 1;
            if self.bad_envelopes >= self.config.limits.bad_envelopes_max {
                return Err(Malformed::BadEnvelope.into());
            }
        }
        Ok(())
    }

    fn visit_envelope(
        &mut self,
        envelope: &Envelope<'_>,
        bytes: usize,
        now: Instant,
        portion: &mut Portion<'_>,
        sink: &mut impl Sink,
    ) -> Result<Visit, PeerError> {
        if self.is_stranger {
            return self.visit_stranger(envelope, now, sink);
        }
        match envelope.kind {
            Kind::Work => return self.visit_work(envelope, bytes, now, portion, sink),
            Kind::Ok | Kind::Error | Kind::Unauthorized => {
                return self.visit_answer(envelope, now, sink);
            }
            Kind::Heartbeat => {
                sink.count(Counted::Heartbeat);
                self.flood(now)?;
            }
            Kind::GoAway => return self.visit_goaway(envelope.body, now, sink),
            Kind::Hello => return self.visit_hello(envelope, now, sink),
            Kind::Authenticated if self.visit_authenticated(envelope.id, sink) => {}
            Kind::Authenticated => {
                self.drop_message(Dropped::Unsolicited, now, sink)?;
            }
        }
        Ok(Visit::Nothing)
    }

    /// The peer has ended this session. What it says is believed where we have told it that we read it.
    fn visit_goaway(
        &mut self,
        body: &[u8],
        now: Instant,
        sink: &mut impl Sink,
    ) -> Result<Visit, PeerError> {
        let is_read = self.config.capabilities.contains(Capabilities::GOAWAY);
        match goaway::read(body).filter(|_| is_read) {
            Some(parting) => Err(PeerError::SentAway(parting)),
            None => self.drop_message(Dropped::Kind, now, sink).map(|()| Visit::Nothing),
        }
    }

    // ---- requests ----------------------------------------------------------------------------

    /// Each check in turn; the arguments are not looked at here.
    fn visit_work(
        &mut self,
        work: &Envelope<'_>,
        bytes: usize,
        now: Instant,
        portion: &mut Portion<'_>,
        sink: &mut impl Sink,
    ) -> Result<Visit, PeerError> {
        let Some(id) = WireId::new(work.id) else { return Ok(Visit::Nothing) };
        let print = fingerprint(work.id, self.print_key);
        if print.is_some_and(|print| self.is_repeated(print)) {
            self.drop_message(Dropped::Duplicate, now, sink)?;
            return Ok(Visit::Nothing);
        }
        let number = self.requests.count_up();
        self.remember(print, number);
        if let Err(shed) = self.admit(bytes, portion) {
            sink.count(Counted::Shed);
            self.refuse_request(id, &shed, now, sink);
            return Ok(Visit::Nothing);
        }
        match self.check_work(work) {
            Ok(Work { name, rest, has_claim }) => {
                sink.count(Counted::Served);
                let (guard, name) = (self.guard(now), SmolStr::new(name));
                let withheld = match guard {
                    Guard::Never => SmolStr::default(),
                    Guard::Until(_) | Guard::Passed => shown(&name),
                };
                let open = OpenRequest { id, guard, name: withheld, bytes };
                self.requests.begin(number, bytes);
                let arrived = Arrived { request: RequestId { peer: self.id, number }, open };
                let rest = work.at.start + rest as u32..work.at.end;
                Ok(Visit::Request(arrived, Located { name, rest, has_claim }))
            }
            Err(refusal) => {
                sink.count(Counted::Refused);
                self.give_back(1, bytes);
                self.refuse_request(id, &refusal, now, sink);
                Ok(Visit::Nothing)
            }
        }
    }

    /// Whether this session has used the id of this fingerprint before.
    fn is_repeated(&self, print: u64) -> bool {
        let is_open = |number| self.requests.is_open(number);
        self.seen.is_known(print, is_open)
    }

    /// The request of that number, which has just come, has used it.
    fn remember(&mut self, print: Option<u64>, number: u64) {
        let Some(print) = print else { return };
        let (requests, max) = (&self.requests, self.config.limits.requests_remembered_max);
        let is_open = |known| known == number || requests.is_open(known);
        self.seen.remember(Known { print, number }, max, is_open);
    }

    /// Takes the place of a request of that size. All that is checked here is how much is open, so what
    /// is refused is not looked at.
    fn admit(&mut self, bytes: usize, portion: &mut Portion<'_>) -> Result<(), Refusal> {
        if self.budget.is_closed() {
            return Err(Refusal::Draining);
        }
        let limits = &self.config.limits;
        if self.requests_open() >= limits.requests_open_per_peer_max {
            let max = limits.requests_open_per_peer_max;
            return Err(Refusal::Overloaded { max, what: "requests of this peer are open" });
        }
        let max = limits.requests_open_bytes_per_peer_max;
        if !Limits::has_room(self.requests_open_bytes(), bytes, max) {
            return Err(Refusal::Overloaded {
                max,
                what: "bytes of requests of this peer are open",
            });
        }
        portion.take_request(self.share().requests() < Limits::REQUESTS_FEW, bytes)?;
        self.share().take_request();
        Ok(())
    }

    /// Where the name and the arguments lie in the body.
    fn check_work<'a>(&self, work: &Envelope<'a>) -> Result<Work<'a>, Refusal> {
        let (size, max) = (work.body.len(), self.config.limits.body_bytes_max);
        if size > max {
            return Err(Refusal::TooLarge { size, max });
        }
        read_work(work.body, self.config.capabilities).map_err(|why| Refusal::BadCall(why.into()))
    }

    /// Once in a session, and only to a peer whose reader is known to take it.
    fn report_version(&mut self, id: WireId, now: Instant, sink: &mut impl Sink) {
        let reads = self.profile().reads_outcomes();
        if reads && !std::mem::replace(&mut self.version_told, true) {
            self.refuse_request(id, &Refusal::Version, now, sink);
        }
    }

    // ---- answers -----------------------------------------------------------------------------

    fn visit_answer(
        &mut self,
        answer: &Envelope<'_>,
        now: Instant,
        sink: &mut impl Sink,
    ) -> Result<Visit, PeerError> {
        if answer.kind == Kind::Unauthorized && self.visit_challenge(answer.id, answer.body, sink) {
            return Ok(Visit::Nothing);
        }
        let Some(call) = self.asked(answer.id).and_then(|call| self.end_call(call)) else {
            self.drop_answer(now, sink)?;
            return Ok(Visit::Nothing);
        };
        let refused = self.login_refusal();
        self.leave_refused(sink);
        if answer.kind != Kind::Unauthorized {
            self.accepted();
        }
        let is_too_large = answer.body.len() > self.config.limits.body_bytes_max;
        let outcome = match answer.kind {
            // A peer that answers UNAUTHORIZED did not run the call (Python's `untrusted_curve` keeps none):
            // without credentials to show, that is the call's outcome.
            Kind::Unauthorized => Outcome::NotExecuted(refused.unwrap_or(Reason::Unauthorized)),
            kind if is_too_large => too_large(kind),
            Kind::Error => fault::read(answer.body, self.config.capabilities),
            _ => return Ok(Visit::Value { call, body: answer.at.clone() }),
        };
        Ok(Visit::Ended { call, outcome })
    }

    /// An answer that nobody waits for: Python's `_handle_ok` dies of one (`pseud/common.py`), we drop it.
    /// It counts as flooding, unless a call that was given up is owed one.
    fn drop_answer(&mut self, now: Instant, sink: &mut impl Sink) -> Result<(), PeerError> {
        if let Some(due) = self.answers_due.checked_sub(1) {
            self.answers_due = due;
            sink.count(Counted::Dropped(Dropped::UnknownReply));
            return Ok(());
        }
        self.drop_message(Dropped::UnknownReply, now, sink)
    }

    /// A message came whose last frame is over a limit of its connection's, and is passed over. Where
    /// the others say that it is an answer, that call has its end and nothing else does.
    ///
    /// # Errors
    /// It is anything else: the link must close, as for [`visit`](Self::visit).
    pub fn visit_too_large(
        &mut self,
        large: &TooLarge,
        now: Instant,
        sink: &mut impl Sink,
    ) -> Result<Visit, PeerError> {
        if self.ended.is_some() {
            sink.count(Counted::Dropped(Dropped::Stale));
            return Ok(Visit::Nothing);
        }
        let Some((id, kind @ (Kind::Ok | Kind::Error))) = Received::head(large.head.lent()) else {
            return Err(large.error());
        };
        match self.asked(id).and_then(|call| self.end_call(call)) {
            Some(call) => Ok(Visit::Ended { call, outcome: too_large(kind) }),
            None => self.drop_answer(now, sink).map(|()| Visit::Nothing),
        }
    }

    /// The call that this peer was asked, and that an answer with this id is for. Calls of other
    /// sessions are not looked at: an answer is only believed from whom it was asked.
    pub(super) fn asked(&self, id: &[u8]) -> Option<Key> {
        let (call, known) = self.calls.find(id)?;
        self.output.has_pulled(known.end).then_some(call)
    }
}

/// What is kept of a name for people, for as long as its answer is not written: as much as a handler's may have. A
/// peer's may be as long as its message is, whose place is free by then.
#[inline]
fn shown(name: &SmolStr) -> SmolStr {
    match name.len() <= NAME_BYTES_MAX {
        true => name.clone(),
        false => SmolStr::new(cut(name, NAME_BYTES_MAX)),
    }
}

/// How a call ends whose answer is too large. An ERROR may say that nothing was run.
fn too_large(kind: Kind) -> Outcome {
    match kind {
        Kind::Ok => Outcome::Executed(Reason::TooLarge),
        _ => Outcome::Unknown(Reason::TooLarge),
    }
}
