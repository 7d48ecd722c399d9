//! What comes: each datagram is a request to serve, the answer of a call, or dropped for a reason
//! (`rpcudp/protocol.py`, `_accept_request` and `_accept_response`).

use super::endpoint::{Action, Endpoint};
use super::outcome::Outcome;
use super::request::{Request, Ticket, TicketId};
use super::silence::Dropped;
use super::source::{canonical, is_bad, is_own};
use crate::dialect::rpcudp::datagram::{self, DatagramKind, HEAD_BYTES, MessageId, NotOurs};
use crate::dialect::rpcudp::datagram::{DATAGRAM_BYTES_MAX, REQUEST_BODY_BYTES_MAX};
use crate::dialect::rpcudp::message::{self, NoCall};
use bytes::Bytes;
use smol_str::{SmolStr, format_smolstr};
use std::net::SocketAddr;
use std::time::Instant;

impl Endpoint {
    /// A datagram came from there.
    ///
    /// # Errors
    /// It is dropped, for a reason that is counted. That is the sender's fault or the network's, and nothing
    /// else follows from it: log it where that helps.
    pub fn handle_datagram(
        &mut self,
        from: SocketAddr,
        datagram: &[u8],
        now: Instant,
    ) -> Result<(), Dropped> {
        let handled = self.try_handle(from, datagram, now);
        handled.map_err(|why| self.counts.drop(why))
    }

    fn try_handle(
        &mut self,
        from: SocketAddr,
        datagram: &[u8],
        now: Instant,
    ) -> Result<(), Dropped> {
        let source = canonical(from);
        if self.closed {
            return Err(Dropped::Closed);
        }
        if is_bad(source) {
            return Err(Dropped::BadSource);
        }
        if self.local.is_some_and(|local| is_own(source, local)) {
            return Err(Dropped::OurOwn);
        }
        let (kind, id, body) = datagram::split(datagram).map_err(|why| match why {
            NotOurs::TooShort => Dropped::TooShort,
            NotOurs::UnknownKind => Dropped::UnknownKind,
        })?;
        match kind {
            DatagramKind::Request => self.handle_request(from, id, body, now),
            DatagramKind::Response => self.handle_response(source, id, body, now),
        }
    }

    fn handle_request(
        &mut self,
        from: SocketAddr,
        id: MessageId,
        body: &[u8],
        now: Instant,
    ) -> Result<(), Dropped> {
        if body.len() > REQUEST_BODY_BYTES_MAX {
            return Err(Dropped::TooLong);
        }
        if self.calls.find(&id).is_some() {
            return Err(Dropped::OurOwn);
        }
        let (asked, bytes) = ((canonical(from), id), HEAD_BYTES + body.len());
        if let Some(answer) = self.repeats.find(&asked, now) {
            let answer = answer.ok_or(Dropped::Duplicate)?;
            return self.answer_again(from, bytes, answer, now);
        }
        if self.draining {
            return Err(Dropped::Draining);
        }
        let is_proven = self.is_proven(from, now);
        if !self.requests.has_room(asked.0, is_proven) {
            return Err(Dropped::Overloaded);
        }
        let (name, arguments) =
            message::call(body, &self.config.values).map_err(|why| match why {
                NoCall::Bad(_) => Dropped::Malformed,
                NoCall::Shape => Dropped::NoCall,
            })?;
        self.repeats.begin(asked, now);
        let id = TicketId(self.requests.open(asked.0, is_proven, now));
        let ticket = Ticket { id, from, asked, bytes };
        let name = self.method(name);
        self.actions.push_back(Action::Serve(Request { ticket, name, arguments }));
        Ok(())
    }

    /// A request came once more whose answer is remembered: that may have been lost.
    fn answer_again(
        &mut self,
        from: SocketAddr,
        bytes: usize,
        answer: Bytes,
        now: Instant,
    ) -> Result<(), Dropped> {
        let may = self.trust.check(canonical(from), bytes, answer.len(), &self.config, now);
        may.map_err(|_| Dropped::Duplicate)?;
        match self.output.push(from, answer, None) {
            true => Ok(()),
            false => Err(Dropped::Duplicate),
        }
    }

    /// As `getattr(self, f"rpc_{funcname}")` names it, where that is asked for.
    fn method(&self, name: SmolStr) -> SmolStr {
        match self.config.rpc_prefix {
            true => format_smolstr!("rpc_{name}"),
            false => name,
        }
    }

    /// A response that is malformed ends no call: in the reference its reader raises before it looks the
    /// call up, and the right answer may still come.
    fn handle_response(
        &mut self,
        source: SocketAddr,
        id: MessageId,
        body: &[u8],
        now: Instant,
    ) -> Result<(), Dropped> {
        let Some((key, call)) = self.calls.find(&id) else {
            return Err(Dropped::UnknownResponse);
        };
        let asked = call.to == source;
        if !asked && !self.config.any_source {
            return Err(Dropped::WrongSource);
        }
        if body.len() > DATAGRAM_BYTES_MAX - HEAD_BYTES {
            return Err(Dropped::TooLong);
        }
        let result = message::value(body, &self.config.values).map_err(|_| Dropped::Malformed)?;
        // An answer from the address that was called proves that this address is its sender's own. One from
        // elsewhere only shows that somebody has seen the call.
        if asked {
            self.trust.prove(source, now);
        }
        self.finish(key, Outcome::Value(result));
        Ok(())
    }
}
