//! Calls of the peer's, and our answers.

use super::{Channel, is_too_large};
use crate::base::name::NAME_BYTES_MAX;
use crate::base::stored::Stored;
use crate::call::{Action, IncomingWork, Request, RequestId, Ticket};
use crate::dialect::kaa::pickle::read::BadPickle;
use crate::dialect::kaa::pickle::write::{Reads, Unwritable};
use crate::dialect::kaa::{is_python2, read_call, write_fault, write_result};
use crate::error::{Exception, Fault, Reason, Refusal};
use crate::value::Packed;
use bytes::Bytes;
use smol_str::SmolStr;
use std::time::Instant;

impl Channel {
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

    /// Answers a request whose handler was not run. The wire has no word for that: it is an exception.
    pub fn refuse(&mut self, ticket: Ticket, refusal: &Refusal, now: Instant) {
        self.reply(ticket, Err(refusal.to_fault()), now);
    }

    /// A handler ended without an answer: its caller is told so.
    pub fn abandon(&mut self, ticket: Ticket, now: Instant) {
        let fault = Fault::new(Exception::RuntimeError, "the handler ended without an answer");
        self.reply(ticket, Err(fault), now);
    }

    /// Whether that request may still be answered.
    pub fn is_open(&self, request: RequestId) -> bool {
        self.requests.is_open(request)
    }

    /// A CALL; how many bytes it unfolds to. Whoever made it waits for an answer without end: it gets one
    /// whatever is wrong with it, where kaa.rpc says nothing (`src/rpc.py`, `_handle_packet_after_auth` unpickles
    /// outside of its `try`).
    pub(super) fn called(&mut self, seq: u32, payload: Bytes) -> usize {
        if is_python2(&payload) {
            self.reads = Reads::Python2;
        }
        match self.serve(seq, &payload) {
            Ok(unfolded) => unfolded,
            Err(fault) => {
                self.raise(seq, fault);
                payload.len()
            }
        }
    }

    fn serve(&mut self, seq: u32, payload: &[u8]) -> Result<usize, Fault> {
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
        let unfolded = name.len() + work.arguments.len();
        let size = size.max(unfolded);
        let request = self.requests.open(seq, size, limits);
        let request = request.map_err(|refusal| refusal.to_fault())?;
        let Some(caller) = self.info.clone() else { return Ok(unfolded) };
        let work = IncomingWork {
            caller,
            name: SmolStr::new(name),
            body: Stored::Shared(work.arguments),
            size: unfolded,
            has_claim: false,
            hops_max: limits.hops_max,
        };
        self.actions.push_back(Action::Serve(Request { ticket: Ticket(request), work }));
        Ok(unfolded)
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
}

fn bad_call(bad: &BadPickle) -> Fault {
    match is_too_large(bad) {
        true => Fault::new("TooLarge", bad.to_string()),
        false => Refusal::BadCall(bad.to_string().into()).to_fault(),
    }
}
