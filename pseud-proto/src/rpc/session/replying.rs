//! Answers of ours: at most one for each request, and none that would come too late (a second or late OK is a
//! `KeyError` in `_handle_ok` of Python `pseud/common.py`, which ends that peer's reader).

use crate::base::deadline::after;
use crate::call::dropped::Dropped;
use crate::call::late_guard::{Guard, LateGuard};
use crate::call::open_request::OpenRequest;
use crate::call::wire_id::WireId;
use crate::call::{IncomingWork, RequestId, Ticket};
use crate::dialect::{Answer, check_result, check_values};
use crate::error::{Fault, Refusal};
use crate::message::incoming::IncomingMessage;
use crate::rpc::config::Limits;
use crate::rpc::session::Session;
use crate::rpc::session::entry::Of;
use crate::rpc::session::output::QueuedMessage;
use crate::rpc::session::sink::Sink;
use crate::rpc::session::visit::{Arrived, Located};
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
    /// A request is served for longer than its arrival: what is needed to answer it is kept here from now on,
    /// until it is [answered](Self::reply).
    pub fn keep(&mut self, arrived: Arrived) -> Ticket {
        let Arrived { request, open } = arrived;
        if request.peer == self.id {
            self.requests.keep(request.number, open);
        }
        Ticket(request)
    }

    /// What it asks for; its arguments are copied where they lie in a driver's input.
    #[inline]
    pub(crate) fn work(&self, located: Located, message: IncomingMessage<'_>) -> IncomingWork {
        let Located { name, rest, has_claim } = located;
        let size = message.lent().bytes().len();
        let (caller, hops_max) = (self.info.clone(), self.config.limits.hops_max);
        IncomingWork { caller, name, body: message.keep(rest), size, has_claim, hops_max }
    }

    /// Answers a request where it came. It is dropped, and counted, where nobody waits for it: the session has
    /// ended, or a v1 caller has given up (its reader would die of it).
    pub fn answer(&mut self, arrived: Arrived, reply: Reply, now: Instant, sink: &mut impl Sink) {
        self.answer_all([(arrived, reply)], now, sink);
    }

    /// The same of several: what they take and give back is counted once.
    pub fn answer_all(
        &mut self,
        replies: impl IntoIterator<Item = (Arrived, Reply)>,
        now: Instant,
        sink: &mut impl Sink,
    ) {
        let (mut count, mut bytes) = (0, 0);
        self.charges_later = true;
        for (Arrived { request, open }, reply) in replies {
            if request.peer != self.id {
                sink.count(Counted::Dropped(Dropped::CallerGone));
                continue;
            }
            self.requests.end_in_place(request.number, open.bytes);
            count += 1;
            bytes += open.bytes;
            self.put_reply(open, reply, now, sink);
        }
        self.charges_later = false;
        self.charge_output();
        // Last: whoever finds nothing open finds its answer counted.
        self.give_back(count, bytes);
    }

    /// Answers a request that was [kept](Self::keep); as [`answer`](Self::answer) does.
    pub fn reply(&mut self, ticket: Ticket, reply: Reply, now: Instant, sink: &mut impl Sink) {
        let RequestId { peer, number } = ticket.0;
        let open = if peer == self.id { self.requests.remove(number) } else { None };
        match open {
            Some(open) => self.respond(open, reply, now, sink),
            None => sink.count(Counted::Dropped(Dropped::CallerGone)),
        }
    }

    #[inline]
    fn respond(&mut self, open: OpenRequest, reply: Reply, now: Instant, sink: &mut impl Sink) {
        let bytes = open.bytes;
        self.put_reply(open, reply, now, sink);
        // Last: whoever finds nothing open finds its answer counted.
        self.give_back(1, bytes);
    }

    #[inline]
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

    #[inline]
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

    #[inline]
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
    #[inline]
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
        self.share().give_requests(count);
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
        let RequestId { peer, number } = request;
        let open = self.requests.get(number).filter(|_| peer == self.id);
        let Some(size) = open.map(|open| open.bytes) else { return Ok(()) };
        self.take_more(size, bytes)?;
        self.requests.grow(number, bytes);
        Ok(())
    }

    /// The same of one that is not kept.
    ///
    /// # Errors
    /// As for [`charge`](Self::charge).
    pub fn charge_arrived(&mut self, arrived: &mut Arrived, bytes: usize) -> Result<(), Refusal> {
        if arrived.request.peer == self.id {
            self.take_more(arrived.open.bytes, bytes)?;
            arrived.open.bytes += bytes;
            self.requests.grow_in_place(bytes);
        }
        Ok(())
    }

    /// Bytes for a request that takes `size` already.
    fn take_more(&self, size: usize, bytes: usize) -> Result<(), Refusal> {
        let max = self.config.limits.requests_open_bytes_per_peer_max;
        let others = self.requests_open_bytes() - size;
        self.budget.take_request_bytes(size, bytes)?;
        if !Limits::has_room(others, size.saturating_add(bytes), max) {
            self.budget.give_request_bytes(bytes);
            let what = "bytes of requests of this peer are open";
            return Err(Refusal::Overloaded { max, what });
        }
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
}
