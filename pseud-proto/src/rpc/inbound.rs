//! What a received message does.

use crate::base::deadline::after;
use crate::call::dropped::Dropped;
use crate::call::late_guard::LateGuard;
use crate::call::{Action, CallId, Outcome, PeerId, Request, RequestId, Ticket};
use crate::dialect::Answer;
use crate::dialect::fault;
use crate::dialect::{Envelope, Kind, Received, WireId, Work, read_work};
use crate::error::{Malformed, Misbehaved, PeerError, Reason, Refusal};
use crate::message::parts::Parts;
use crate::message::too_large::TooLarge;
use crate::rpc::calls::Stage;
use crate::rpc::config::Limits;
use crate::rpc::endpoint::Endpoint;
use crate::rpc::replay_window::{Known, fingerprint};
use crate::rpc::requests::Guard;
use crate::rpc::session::remember;
use crate::value::Unchecked;
use std::time::Instant;

impl Endpoint {
    /// A message came from that session.
    ///
    /// # Errors
    /// Only where the link must close: tell [`handle_gone`](Self::handle_gone). A message that makes
    /// no sense is dropped and counted, and the link stays.
    pub fn handle_message(
        &mut self,
        peer: PeerId,
        message: Parts,
        now: Instant,
    ) -> Result<(), PeerError> {
        if self.sessions.get(peer.0).is_none() {
            self.stats.drop_for(Dropped::Stale);
            return Ok(());
        }
        match Received::read(message) {
            Received::Probe => {
                self.stats.probes += 1;
                self.noise(peer, now)
            }
            Received::OtherVersion(work) => {
                if let Some(id) = work {
                    self.tell_version(peer, id, now);
                }
                self.drop_message(peer, Dropped::Version, now)
            }
            Received::Dropped(cause) => self.drop_message(peer, cause, now),
            Received::Envelope(envelope) => self.handle_envelope(peer, envelope, now),
        }
    }

    /// Counts a message that brings nothing.
    fn noise(&mut self, peer: PeerId, now: Instant) -> Result<(), PeerError> {
        let limit = self.config.limits.flood;
        let Some(session) = self.sessions.get_mut(peer.0) else { return Ok(()) };
        if session.noise.spend(limit, now) { Ok(()) } else { Err(Misbehaved::Flood.into()) }
    }

    fn drop_message(
        &mut self,
        peer: PeerId,
        cause: Dropped,
        now: Instant,
    ) -> Result<(), PeerError> {
        self.stats.drop_for(cause);
        self.noise(peer, now)?;
        let Some(session) = self.sessions.get_mut(peer.0) else { return Ok(()) };
        if cause == Dropped::BadEnvelope {
            session.bad_envelopes += 1;
            if session.bad_envelopes >= self.config.limits.bad_envelopes_max {
                return Err(Malformed::BadEnvelope.into());
            }
        }
        Ok(())
    }

    fn handle_envelope(
        &mut self,
        peer: PeerId,
        envelope: Envelope,
        now: Instant,
    ) -> Result<(), PeerError> {
        match envelope.kind {
            Kind::Work => {
                let print = fingerprint(&envelope.id, self.print_key);
                if self.is_repeated(peer, print) {
                    return self.drop_message(peer, Dropped::Duplicate, now);
                }
                self.handle_work(peer, envelope, print, now);
            }
            Kind::Ok | Kind::Error => return self.handle_answer(peer, envelope, now),
            Kind::Unauthorized => return self.handle_unauthorized(peer, &envelope, now),
            Kind::Heartbeat => {
                self.stats.heartbeats += 1;
                return self.noise(peer, now);
            }
            Kind::Hello | Kind::Authenticated => {
                return self.drop_message(peer, Dropped::Unsolicited, now);
            }
        }
        Ok(())
    }

    // ---- requests ----------------------------------------------------------------------------

    /// Each check in turn; the arguments are not looked at here.
    fn handle_work(&mut self, peer: PeerId, work: Envelope, print: Option<u64>, now: Instant) {
        let Some(caller) = self.peer_info(peer).cloned() else { return };
        let bytes = work.message.len();
        let admitted = self.admit(peer, bytes);
        let request = self.open_request(peer, work.id, bytes, now);
        self.remember(peer, print, request);
        if let Err(shed) = admitted {
            self.stats.requests_shed += 1;
            return self.turn_away(request, &shed);
        }
        match self.judge_work(&work) {
            Ok(Work { name, rest, has_claim }) => {
                self.stats.requests_served += 1;
                let called = work.body().get(name.clone()).unwrap_or_default();
                self.requests.note_name(request, called);
                let at = |offset: usize| work.body.start + offset as u32;
                self.actions.push_back(Action::Serve(Request {
                    ticket: Ticket(request),
                    peer,
                    caller,
                    name: at(name.start)..at(name.end),
                    rest: at(rest)..work.body.end,
                    message: work.message,
                    has_claim,
                    hops_max: self.config.limits.hops_max,
                }));
            }
            Err(refusal) => {
                self.stats.requests_refused += 1;
                self.turn_away(request, &refusal);
            }
        }
    }

    /// Whether that session has used the id of this fingerprint before.
    fn is_repeated(&self, peer: PeerId, print: Option<u64>) -> bool {
        let is_open = |request| self.requests.get(request).is_some();
        let (Some(session), Some(print)) = (self.sessions.get(peer.0), print) else { return false };
        session.seen.as_ref().is_some_and(|seen| seen.is_known(print, is_open))
    }

    fn remember(&mut self, peer: PeerId, print: Option<u64>, request: RequestId) {
        let (requests, max) = (&self.requests, self.config.limits.requests_remembered_max);
        let is_open = |request| requests.get(request).is_some();
        if let (Some(session), Some(print)) = (self.sessions.get_mut(peer.0), print) {
            let seen = session.seen.get_or_insert_default();
            seen.remember(Known { print, request }, max, is_open);
        }
    }

    /// Whether there is room for a request of that size. All that is judged here is how much is open,
    /// so what is refused is not looked at.
    fn admit(&self, peer: PeerId, bytes: usize) -> Result<(), Refusal> {
        if self.draining {
            return Err(Refusal::Draining);
        }
        self.admit_to_session(peer, bytes)?;
        let limits = &self.config.limits;
        let max = self.places(peer);
        if self.requests.serving >= max {
            return Err(Refusal::Overloaded { max, what: "requests are open" });
        }
        let max = limits.requests_open_bytes_max;
        if !Limits::has_room(self.requests.serving_bytes, bytes, max) {
            return Err(Refusal::Overloaded { max, what: "bytes of requests are open" });
        }
        Ok(())
    }

    /// How many requests may be open in all for one more of that peer's to come in. The last quarter
    /// is kept for peers that have few: who has many does not keep them out.
    fn places(&self, peer: PeerId) -> usize {
        let max = self.config.limits.requests_open_max;
        let open = self.sessions.get(peer.0).map_or(0, |session| session.requests_open);
        if open < Limits::REQUESTS_FEW { max } else { max - max / 4 }
    }

    fn admit_to_session(&self, peer: PeerId, bytes: usize) -> Result<(), Refusal> {
        let Some(session) = self.sessions.get(peer.0) else { return Ok(()) };
        let limits = &self.config.limits;
        if session.requests_open >= limits.requests_open_per_peer_max {
            let max = limits.requests_open_per_peer_max;
            return Err(Refusal::Overloaded { max, what: "requests of this peer are open" });
        }
        let max = limits.requests_open_bytes_per_peer_max;
        if !Limits::has_room(session.requests_open_bytes, bytes, max) {
            return Err(Refusal::Overloaded {
                max,
                what: "bytes of requests of this peer are open",
            });
        }
        Ok(())
    }

    /// That request's arguments are about to be decoded, which takes so many bytes besides its message
    /// ([`Opened::decoded_bytes`](crate::pseud::Opened::decoded_bytes)): they count as those do, until it is
    /// answered. To be asked once, where it is opened; without it only messages are bounded.
    ///
    /// # Errors
    /// What it is to be [refused](Self::refuse) with: there is no room for that much.
    pub fn charge(&mut self, ticket: &Ticket, bytes: usize) -> Result<(), Refusal> {
        let Some((peer, size)) = self.requests.serving(ticket.0) else { return Ok(()) };
        let limits = &self.config.limits;
        let others = self.requests.serving_bytes - size;
        let max = limits.requests_open_bytes_max;
        if !Limits::has_room(others, size + bytes, max) {
            return Err(Refusal::Overloaded { max, what: "bytes of requests are open" });
        }
        let Some(session) = self.sessions.get_mut(peer.0) else { return Ok(()) };
        let max = limits.requests_open_bytes_per_peer_max;
        if !Limits::has_room(session.requests_open_bytes - size, size + bytes, max) {
            return Err(Refusal::Overloaded {
                max,
                what: "bytes of requests of this peer are open",
            });
        }
        session.requests_open_bytes += bytes;
        self.requests.grow(ticket.0, bytes);
        Ok(())
    }

    /// Where the name and the arguments lie in the body.
    fn judge_work(&self, work: &Envelope) -> Result<Work, Refusal> {
        let (size, max) = (work.body().len(), self.config.limits.body_bytes_max);
        if size > max {
            return Err(Refusal::TooLarge { size, max });
        }
        let ours = self.config.capabilities;
        read_work(work.body(), ours).map_err(|why| Refusal::BadCall(why.into()))
    }

    fn open_request(&mut self, peer: PeerId, id: WireId, bytes: usize, now: Instant) -> RequestId {
        let guard = match self.sessions.get(peer.0).and_then(|session| session.info.late_guard) {
            Some(LateGuard::After(wait)) => Guard::Until(after(now, wait)),
            Some(LateGuard::Off) | None => Guard::Never,
        };
        let request = self.requests.insert(peer, id, guard, bytes);
        if self.draining {
            self.requests.set_aside(request);
        }
        let requests = &self.requests;
        if let Some(session) = self.sessions.get_mut(peer.0) {
            session.requests_open += 1;
            session.requests_open_bytes += bytes;
            remember(&mut session.requests, request, |known| requests.get(known).is_some());
        }
        request
    }

    fn turn_away(&mut self, request: RequestId, refusal: &Refusal) {
        let Some(open) = self.requests.get(request) else { return };
        let profile = self.profile(open.peer);
        self.enqueue_reply(request, Answer::refusal(refusal, profile));
    }

    /// Once in a session, and only to a peer whose reader is known to take it.
    fn tell_version(&mut self, peer: PeerId, id: WireId, now: Instant) {
        let Some(session) = self.sessions.get_mut(peer.0) else { return };
        let reads = session.info.profile.reads_outcomes();
        if reads && !std::mem::replace(&mut session.version_told, true) {
            let request = self.open_request(peer, id, 0, now);
            self.turn_away(request, &Refusal::Version);
        }
    }

    // ---- answers -----------------------------------------------------------------------------

    fn handle_answer(
        &mut self,
        peer: PeerId,
        answer: Envelope,
        now: Instant,
    ) -> Result<(), PeerError> {
        let call = match self.asked(peer, &answer.id) {
            Ok(call) => call,
            Err(cause) => return self.drop_answer(peer, cause, now),
        };
        let is_too_large = answer.body().len() > self.config.limits.body_bytes_max;
        let outcome = match answer.kind {
            kind if is_too_large => too_large(kind),
            Kind::Error => fault::read(answer.body(), self.config.capabilities),
            _ => Outcome::Value(Unchecked::part(answer.message, answer.body).of(peer)),
        };
        self.finish(call, outcome);
        Ok(())
    }

    /// An answer that nobody waits for. It is noise, unless a call that was given up is owed one.
    fn drop_answer(&mut self, peer: PeerId, cause: Dropped, now: Instant) -> Result<(), PeerError> {
        if cause == Dropped::UnknownReply
            && let Some(session) = self.sessions.get_mut(peer.0)
            && let Some(due) = session.answers_due.checked_sub(1)
        {
            session.answers_due = due;
            self.stats.drop_for(cause);
            return Ok(());
        }
        self.drop_message(peer, cause, now)
    }

    /// A message came whose last frame is over a limit of its connection's, and is passed over. Where
    /// the others say that it is an answer, that call has its end and nothing else does.
    ///
    /// # Errors
    /// It is anything else: the link must close, as for [`handle_message`](Self::handle_message).
    pub fn handle_too_large(
        &mut self,
        peer: PeerId,
        large: &TooLarge,
        now: Instant,
    ) -> Result<(), PeerError> {
        if self.sessions.get(peer.0).is_none() {
            self.stats.drop_for(Dropped::Stale);
            return Ok(());
        }
        match Received::head(&large.head) {
            Some((id, kind @ (Kind::Ok | Kind::Error))) => match self.asked(peer, &id) {
                Ok(call) => self.finish(call, too_large(kind)),
                Err(cause) => return self.drop_answer(peer, cause, now),
            },
            _ => return Err(large.error()),
        }
        Ok(())
    }

    /// A peer that challenges a call did not run it; without credentials that is its outcome.
    fn handle_unauthorized(
        &mut self,
        peer: PeerId,
        answer: &Envelope,
        now: Instant,
    ) -> Result<(), PeerError> {
        match self.asked(peer, &answer.id) {
            Ok(call) => self.finish(call, Outcome::NotExecuted(Reason::Unauthorized)),
            Err(cause) => return self.drop_answer(peer, cause, now),
        }
        Ok(())
    }

    /// The call that this session was asked, and that an answer with this id is for. Anything else
    /// is dropped: an answer is only believed from whom it was asked.
    fn asked(&self, peer: PeerId, id: &WireId) -> Result<CallId, Dropped> {
        match self.calls.find(id.as_bytes()) {
            None => Err(Dropped::UnknownReply),
            Some((_, call)) if call.peer != Some(peer) => Err(Dropped::WrongPeer),
            Some((call, known)) => match known.stage {
                Stage::Pulled | Stage::Sent => Ok(call),
                Stage::Parked | Stage::Queued => Err(Dropped::UnknownReply),
            },
        }
    }
}

/// How a call ends whose answer is too large. An ERROR may say that nothing was run.
fn too_large(kind: Kind) -> Outcome {
    match kind {
        Kind::Ok => Outcome::Executed(Reason::TooLarge),
        _ => Outcome::Unknown(Reason::TooLarge),
    }
}
