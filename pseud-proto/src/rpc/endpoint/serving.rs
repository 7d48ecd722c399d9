//! Messages in and out, and requests.

use crate::call::dropped::Dropped;
use crate::call::{Action, PeerId, Ticket};
use crate::dialect::Transmit;
use crate::error::{Fault, PeerError, Refusal};
use crate::message::framed::Framed;
use crate::message::incoming::IncomingMessage;
use crate::message::outgoing::Token;
use crate::message::parts::Parts;
use crate::message::too_large::TooLarge;
use crate::rpc::budget::Portion;
use crate::rpc::endpoint::Endpoint;
use crate::rpc::session::Session;
use crate::rpc::session::owned::Came;
use crate::rpc::session::replying::Reply;
use crate::rpc::session::sink::Sink;
use crate::rpc::stats::Counted;
use crate::value::Packed;
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
        mut message: Parts,
        now: Instant,
    ) -> Result<(), PeerError> {
        let bytes = message.take_bytes();
        self.handle_received(peer, IncomingMessage::of(&message, bytes), now)
    }

    /// The same of a message that lies where it came.
    ///
    /// # Errors
    /// As [`handle_message`](Self::handle_message).
    pub fn handle_received(
        &mut self,
        peer: PeerId,
        message: IncomingMessage<'_>,
        now: Instant,
    ) -> Result<(), PeerError> {
        let budget = self.budget.clone();
        let visited = self.visit(peer, |session, outbox| {
            let mut portion = Portion::exact(&budget);
            let came = session.handle_received(message, now, &mut portion, outbox)?;
            let is_login = matches!(came, Came::Login(_));
            match came {
                Came::Nothing => {}
                Came::Login(question) => outbox.push(Action::Login(peer, question)),
            }
            Ok::<_, PeerError>(is_login)
        });
        let Some(is_login) = visited else {
            self.outbox.count(Counted::Dropped(Dropped::Stale));
            return Ok(());
        };
        if is_login? {
            self.directory.asked(peer);
        }
        Ok(())
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
        let visited =
            self.visit(peer, |session, outbox| session.handle_too_large(large, now, outbox));
        visited.unwrap_or_else(|| {
            self.outbox.count(Counted::Dropped(Dropped::Stale));
            Ok(())
        })
    }

    /// The next message for that peer. What no longer makes sense (a call that is over, a reply
    /// that would come too late) is skipped here.
    pub fn poll_transmit(&mut self, peer: PeerId, now: Instant) -> Option<Transmit> {
        if !self.sessions.get(peer.0)?.has_output() {
            return None;
        }
        self.visit(peer, |session, outbox| session.poll_transmit(now, outbox))?
    }

    /// Hands messages for that peer to `send`, several at once, as long as that says that it takes more.
    /// What is handed over may leave from then on; all else is as for
    /// [`poll_transmit`](Self::poll_transmit).
    pub fn pull(
        &mut self,
        peer: PeerId,
        now: Instant,
        send: impl FnMut(Framed<'_>, Token) -> bool,
    ) {
        if self.sessions.get(peer.0).is_some_and(Session::has_output) {
            self.visit(peer, |session, outbox| session.pull(now, outbox, send));
        }
    }

    /// All messages up to the one that `token` names were written whole.
    pub fn handle_written(&mut self, peer: PeerId, token: Token, _now: Instant) {
        let Some(session) = self.sessions.get_mut(peer.0) else { return };
        // Only guarded answers have a deadline that ends as they are written.
        match session.count_late() {
            0 => session.handle_written(token),
            _ => drop(self.visit(peer, |session, _| session.handle_written(token))),
        }
    }

    /// Answers a request. It is dropped, and counted, where nobody waits for it: the session has
    /// ended, or a v1 caller has given up (its reader would die of it).
    pub fn reply(&mut self, ticket: Ticket, result: Result<Packed, Fault>, now: Instant) {
        self.respond(ticket, Reply::Handled(result), now);
    }

    /// Answers a request whose handler was not run: its caller is told so, as far as it reads that.
    /// Dropped where nobody waits for it, as a [`reply`](Self::reply) is.
    pub fn refuse(&mut self, ticket: Ticket, refusal: &Refusal, now: Instant) {
        self.respond(ticket, Reply::Refused(refusal.clone()), now);
    }

    /// A handler ended without an answer: its caller is told so.
    pub fn abandon(&mut self, ticket: Ticket, now: Instant) {
        self.reply(ticket, Err(Fault::new("RuntimeError", "the handler gave no answer")), now);
    }

    fn respond(&mut self, ticket: Ticket, reply: Reply, now: Instant) {
        let peer = ticket.0.peer;
        if !self.machine().owns(peer.0) {
            return;
        }
        let there = self.visit(peer, |session, outbox| session.reply(ticket, reply, now, outbox));
        if there.is_none() {
            self.outbox.count(Counted::Dropped(Dropped::CallerGone));
        }
    }

    /// That request's arguments are about to be decoded, which takes so many bytes besides its message
    /// ([`Opened::decoded_bytes`](crate::Opened::decoded_bytes)): they count as those do, until it is
    /// answered. To be asked once, where it is opened; without it only messages are bounded.
    ///
    /// # Errors
    /// What it is to be [refused](Self::refuse) with: there is no room for that much.
    pub fn charge(&mut self, ticket: &Ticket, bytes: usize) -> Result<(), Refusal> {
        let session = self.sessions.get_mut(ticket.0.peer.0);
        session.map_or(Ok(()), |session| session.charge(ticket.0, bytes))
    }

    /// A body of that session's was checked: the pickles of its own classes and the zones by key in it
    /// may be sent back there: the first 4 096 of them. Costs nothing for bodies that have none; without
    /// it they are refused.
    pub fn learn(&mut self, peer: PeerId, body: &Packed) {
        if let Some(session) = self.sessions.get_mut(peer.0) {
            session.learn(body);
        }
    }
}
