//! Whole messages that may be kept: what comes of each, for drivers that answer when they like.

use crate::auth::question::Question;
use crate::call::{Outcome, Request};
use crate::dialect::shows_password;
use crate::error::PeerError;
use crate::message::incoming::IncomingMessage;
use crate::message::parts::Parts;
use crate::message::too_large::TooLarge;
use crate::rpc::budget::Portion;
use crate::rpc::session::Session;
use crate::rpc::session::sink::Sink;
use crate::rpc::session::visit::Visit;
use crate::value::Unchecked;
use std::time::Instant;

/// What a driver has to see to after a message that it gave away.
///
/// Closed: a driver must see to each.
#[derive(Debug)]
pub enum Came {
    /// Nothing more.
    Nothing,
    /// The peer shows who it is: its directory is [told so](crate::session::Directory::asked) before
    /// anybody is asked.
    Login(Question),
}

impl Session {
    /// A message came, to be kept where that is needed. The sink is told of a call that has ended by it, and
    /// given a request. A login's is wiped; one that lies in a driver's own buffer the driver has to wipe.
    ///
    /// # Errors
    /// As for [`visit`](Self::visit).
    pub fn handle_message(
        &mut self,
        mut message: Parts,
        now: Instant,
        portion: &mut Portion<'_>,
        sink: &mut impl Sink,
    ) -> Result<Came, PeerError> {
        let bytes = message.take_bytes();
        self.handle_received(IncomingMessage::of(&message, bytes), now, portion, sink)
    }

    /// The same of a message that lies where it came.
    ///
    /// # Errors
    /// As for [`visit`](Self::visit).
    pub fn handle_received(
        &mut self,
        message: IncomingMessage<'_>,
        now: Instant,
        portion: &mut Portion<'_>,
        sink: &mut impl Sink,
    ) -> Result<Came, PeerError> {
        let visit = self.visit(message.lent(), now, portion, sink);
        let is_over = matches!(visit, Err(_) | Ok(Visit::Nothing | Visit::Login(_)));
        if is_over && shows_password(message.lent()) {
            message.wipe();
            return Ok(match visit? {
                Visit::Login(question) => Came::Login(question),
                _ => Came::Nothing,
            });
        }
        match visit? {
            Visit::Nothing => {}
            Visit::Value { call, body } => {
                let body = Unchecked::stored(message.keep(body)).of(self.id());
                sink.finish(call, Outcome::Value(body));
            }
            Visit::Ended { call, outcome } => sink.finish(call, outcome),
            Visit::Login(question) => return Ok(Came::Login(question)),
            Visit::Request(arrived, located) => {
                let work = self.work(located, message);
                match sink.answers_in_place() {
                    true => sink.serve_in_place(arrived, work),
                    false => sink.serve(Request { ticket: self.keep(arrived), work }),
                }
            }
        }
        Ok(Came::Nothing)
    }

    /// A message came whose last frame is over a limit of its connection's, and is passed over. Where
    /// the others say that it is an answer, that call has its end and nothing else does.
    ///
    /// # Errors
    /// It is anything else: the link must close, as for [`visit`](Self::visit).
    pub fn handle_too_large(
        &mut self,
        large: &TooLarge,
        now: Instant,
        sink: &mut impl Sink,
    ) -> Result<(), PeerError> {
        if let Visit::Ended { call, outcome } = self.visit_too_large(large, now, sink)? {
            sink.finish(call, outcome);
        }
        Ok(())
    }
}
