//! Answers of ours: at most one for each request, and none that would come too late (a second or late OK is a
//! `KeyError` in `_handle_ok` of Python `pseud/common.py`, which ends that peer's reader).

use crate::base::deadline::after;
use crate::base::slab::Key;
use crate::call::dropped::Dropped;
use crate::call::late_guard::LateGuard;
use crate::call::{Request, RequestId, Ticket};
use crate::dialect::{Answer, WireId, check_result, check_values};
use crate::error::{Fault, Refusal};
use crate::message::incoming::IncomingMessage;
use crate::rpc::config::Limits;
use crate::rpc::session::Session;
use crate::rpc::session::entry::Of;
use crate::rpc::session::late::Guard;
use crate::rpc::session::output::QueuedMessage;
use crate::rpc::session::replay_window::Known;
use crate::rpc::session::requests::OpenRequest;
use crate::rpc::session::sink::Sink;
use crate::rpc::session::visit::Arrived;
use crate::rpc::stats::Counted;
use crate::value::Packed;
use smol_str::SmolStr;
use std::time::Instant;

/// An answer, before it is known what its peer can be told.
///
/// Closed: a handler was run or it was not.
#[derive(Debug)]
pub enum Reply {
    /// What a handler returned or raised.
    Handled(Result<Packed, Fault>),
    /// No handler was run.
    Refused(Refusal),
}

impl Session {
    /// A request is served for longer than its arrival: it has a slot from now on, and what it holds
    /// counts until it is [answered](Self::reply). `name`: what it calls.
    pub fn keep(&mut self, arrived: Arrived, name: &[u8]) -> Ticket {
        let Arrived { id, guard, bytes, print, .. } = arrived;
        self.in_place.count -= 1;
        self.in_place.bytes -= bytes;
        let name = match guard {
            Guard::Never => SmolStr::default(),
            _ => std::str::from_utf8(name).map(SmolStr::new).unwrap_or_default(),
        };
        let key = self.requests.insert(OpenRequest { id, guard, name, bytes });
        let requests = &self.requests;
        if let (Some(seen), Some(print)) = (&mut self.seen, print) {
            seen.bind(Known { print, request: key }, |known| requests.get(known).is_some());
        }
        Ticket(RequestId { peer: self.id, key })
    }

    /// The same with what is kept of its message: a request that its driver answers when it likes.
    pub fn keep_whole(&mut self, arrived: Arrived, message: IncomingMessage<'_>) -> Request {
        let (name, rest, has_claim) = (arrived.name(), arrived.rest(), arrived.has_claim);
        let (bytes, size) = (message.lent().bytes(), message.lent().bytes().len());
        let called = bytes.get(name.start as usize..name.end as usize).unwrap_or_default();
        let ticket = self.keep(arrived, called);
        Request {
            ticket,
            peer: self.id,
            caller: self.info.clone(),
            name_len: name.len(),
            // The arguments are right behind the name.
            body: message.keep(name.start..rest.end),
            size,
            has_claim,
            hops_max: self.config.limits.hops_max,
        }
    }

    /// Answers a request where it arrived: it never had a slot.
    pub fn answer(
        &mut self,
        arrived: Arrived,
        name: &[u8],
        reply: Reply,
        now: Instant,
        sink: &mut impl Sink,
    ) {
        let Arrived { id, guard, bytes, .. } = arrived;
        let name = match guard {
            Guard::Never => SmolStr::default(),
            _ => std::str::from_utf8(name).map(SmolStr::new).unwrap_or_default(),
        };
        self.in_place.count -= 1;
        self.in_place.bytes -= bytes;
        self.respond(OpenRequest { id, guard, name, bytes }, reply, now, sink);
    }

    /// Answers a request that was [kept](Self::keep). It is dropped, and counted, where nobody waits for
    /// it: the session has ended, or a v1 caller has given up (its reader would die of it).
    pub fn reply(&mut self, ticket: Ticket, reply: Reply, now: Instant, sink: &mut impl Sink) {
        match self.requests.remove(ticket.0.key) {
            Some(open) => self.respond(open, reply, now, sink),
            None => sink.count(Counted::Dropped(Dropped::CallerGone)),
        }
    }

    /// The same of several: what they take and give back is counted once.
    pub fn reply_all(
        &mut self,
        replies: impl IntoIterator<Item = (Ticket, Reply)>,
        now: Instant,
        sink: &mut impl Sink,
    ) {
        let (mut count, mut bytes) = (0, 0);
        self.charges_later = true;
        for (ticket, reply) in replies {
            match self.requests.remove(ticket.0.key) {
                Some(open) => {
                    count += 1;
                    bytes += open.bytes;
                    self.put_reply(open, reply, now, sink);
                }
                None => sink.count(Counted::Dropped(Dropped::CallerGone)),
            }
        }
        self.charges_later = false;
        self.charge_output();
        // Last: whoever finds nothing open finds its answer counted.
        self.give_back(count, bytes);
    }

    fn respond(&mut self, open: OpenRequest, reply: Reply, now: Instant, sink: &mut impl Sink) {
        let bytes = open.bytes;
        self.put_reply(open, reply, now, sink);
        // Last: whoever finds nothing open finds its answer counted.
        self.give_back(1, bytes);
    }

    fn put_reply(&mut self, open: OpenRequest, reply: Reply, now: Instant, sink: &mut impl Sink) {
        if self.ended.is_some() {
            sink.count(Counted::Dropped(Dropped::CallerGone));
        } else if open.guard.lets_pass(now) {
            let answer = self.make(reply, sink);
            self.enqueue_reply(open, answer, true, sink);
        } else {
            sink.count(Counted::Dropped(Dropped::LateReply));
            sink.withheld(&self.info, &open.name);
        }
    }

    fn make(&self, reply: Reply, sink: &mut impl Sink) -> Answer {
        let fault = match reply {
            Reply::Refused(refusal) => {
                sink.count(Counted::Refused);
                return Answer::refusal(&refusal, self.profile());
            }
            Reply::Handled(Ok(result)) => match self.make_result(result) {
                Ok(answer) => return answer,
                Err(fault) => fault,
            },
            Reply::Handled(Err(fault)) => fault,
        };
        Answer::fault(&fault, self.profile(), self.config.expose_traceback)
    }

    fn make_result(&self, result: Packed) -> Result<Answer, Fault> {
        let limits = &self.config.limits;
        check_result(&result, limits.body_bytes_max)?;
        check_values(&result, &limits.values)?;
        // A peer that asks for more than it reads loses that answer, not its link.
        if result.as_bytes().len() > self.output.room(limits.queue_bytes_hard_max) {
            let text = "the result does not fit into the queue to its caller";
            return Err(Fault::new("Overloaded", text));
        }
        let risk = self.risk(&result);
        Answer::result(result, self.profile(), risk)
    }

    /// `is_awaited`: whether one who drains waits for it to be written.
    pub(crate) fn enqueue_reply(
        &mut self,
        open: OpenRequest,
        answer: Answer,
        is_awaited: bool,
        sink: &mut impl Sink,
    ) {
        if self.ended.is_some() {
            return;
        }
        let OpenRequest { id, guard, name, .. } = open;
        let QueuedMessage { end, .. } =
            self.output.push(Of::Reply(guard), |out| answer.put(out, id.as_bytes()));
        if let Some(until) = guard.until() {
            self.late.push(end, until, name);
        }
        if is_awaited {
            self.answered = end;
            self.note_owing();
        }
        self.queued(sink);
    }

    /// A request that came now, refused.
    pub(crate) fn refuse_request(
        &mut self,
        id: WireId,
        refusal: &Refusal,
        now: Instant,
        sink: &mut impl Sink,
    ) {
        let (guard, name, bytes) = (self.guard(now), SmolStr::default(), 0);
        let answer = Answer::refusal(refusal, self.profile());
        let is_awaited = !self.budget.is_closed();
        self.enqueue_reply(OpenRequest { id, guard, name, bytes }, answer, is_awaited, sink);
    }

    /// Until when a request that comes now may be answered.
    pub(crate) fn guard(&self, now: Instant) -> Guard {
        match self.info.late_guard {
            Some(LateGuard::After(wait)) => Guard::Until(after(now, wait)),
            Some(LateGuard::Off) | None => Guard::Never,
        }
    }

    /// The places of so many requests are free, and what they took.
    pub(crate) fn give_back(&mut self, count: usize, bytes: usize) {
        self.share.give_requests(count);
        self.budget.give_request_bytes(bytes);
        self.budget.give_requests(count);
    }

    /// That request's arguments are about to be decoded, which takes so many bytes besides its message
    /// ([`Opened::decoded_bytes`](crate::Opened::decoded_bytes)): they count as those do, until it is
    /// answered. To be asked once, where it is opened; without it only messages are bounded.
    ///
    /// # Errors
    /// What it is to be refused with: there is no room for that much.
    pub fn charge(&mut self, request: RequestId, bytes: usize) -> Result<(), Refusal> {
        let Some(open) = self.requests.get(request.key) else { return Ok(()) };
        let size = open.bytes;
        let max = self.config.limits.requests_open_bytes_per_peer_max;
        let others = self.requests_open_bytes() - size;
        self.budget.take_request_bytes(size, bytes)?;
        if !Limits::has_room(others, size.saturating_add(bytes), max) {
            self.budget.give_request_bytes(bytes);
            let what = "bytes of requests of this peer are open";
            return Err(Refusal::Overloaded { max, what });
        }
        self.requests.grow(request.key, bytes);
        Ok(())
    }

    /// Guards whose moment has passed: of what is served the caller waits no more; an answer that waits
    /// is withheld, and one that may be leaving now closes the link.
    pub(crate) fn pass_guards(&mut self, now: Instant, sink: &mut impl Sink) {
        if self.requests.next().is_some_and(|next| next <= now) {
            self.requests.pass_guards(now);
        }
        if self.late.next().is_none_or(|next| now < next) {
            return;
        }
        for (end, name) in self.late.overdue(now) {
            sink.withheld(&self.info, &name);
            if self.output.has_pulled(end) {
                return self.close(crate::error::Reason::LateReply, sink);
            }
            sink.count(Counted::Dropped(Dropped::LateReply));
        }
    }

    /// What is served, by its keys.
    pub(crate) fn open_requests(&self) -> Vec<Key> {
        self.requests.keys()
    }
}
