//! What a link does between the greeting and the traffic: it carries out its mechanism's steps.

use super::decoded::Decoded;
use super::{Connection, Phase, Start};
use crate::auth::question::Verdict;
use crate::auth::socket_type::SocketType;
use crate::error::{Misbehaved, PeerError};
use crate::wire::zmtp::command::Command;
use crate::wire::zmtp::event::{Event, Ready};
use crate::wire::zmtp::input::Input;
use crate::wire::zmtp::mechanism::{Complete, Mechanism, Step};
use crate::wire::zmtp::metadata::Metadata;
use std::time::Instant;
use zeroize::{Zeroize, Zeroizing};

/// What our ERROR says: never again, or not now.
const DENIED: u16 = 400;
const UNAVAILABLE: u16 = 500;

impl Connection {
    /// Answers [`Event::Ask`]. A second answer, and one that comes after the link failed, mean
    /// nothing; one that nobody asked for is a mistake of the caller's.
    ///
    /// # Errors
    /// The peer is not admitted: write what is queued, which tells it so, and close the link. Or the
    /// handshake's time was over, or the link had failed before.
    pub fn answer(&mut self, verdict: Verdict, now: Instant) -> Result<(), PeerError> {
        let is_early = matches!(self.phase, Phase::Greeting(_)) && self.failed.is_none();
        debug_assert!(!is_early, "an answer was given before Event::Ask");
        self.unless_failed(|this| this.handle_verdict(verdict, now))
    }

    /// The same until the handshake is over. What is taken may be a part of a password, and is wiped.
    pub(super) fn next_of_handshake(
        &mut self,
        input: &mut &mut [u8],
        now: Instant,
    ) -> Result<Option<Event>, PeerError> {
        let mut rest = Input::new(input);
        let took = self.take_handshake(&mut rest, now);
        let left = rest.len();
        // What follows an error is not taken, and may be a part of a password as well.
        let taken = if took.is_err() { input.len() } else { input.len() - left };
        let (taken, behind) = std::mem::take(input).split_at_mut(taken);
        taken.zeroize();
        *input = behind;
        took.map_err(|error| self.fail(error))
    }

    fn take_handshake(
        &mut self,
        input: &mut Input<'_>,
        now: Instant,
    ) -> Result<Option<Event>, PeerError> {
        if let Phase::Greeting(start) = &mut self.phase {
            let Start { greeting, .. } = &mut **start;
            let taken = greeting.take(input.peek());
            input.take(taken);
            greeting.check(self.config.mechanism.name())?;
            if !greeting.is_complete() {
                return Ok(None);
            }
            self.begin_handshake()?;
        }
        if input.is_empty() {
            return Ok(None);
        }
        self.liveness.heard(now);
        match self.decode(input, now)? {
            Decoded::Event(event) => Ok(Some(event)),
            // There are no messages before the handshake's end.
            Decoded::Message(_) | Decoded::Nothing => Ok(None),
        }
    }

    /// The peer's greeting is whole and names our mechanism.
    pub(crate) fn begin_handshake(&mut self) -> Result<(), PeerError> {
        self.phase = match std::mem::replace(&mut self.phase, Phase::Traffic) {
            Phase::Greeting(start) => Phase::Handshake(start),
            later => later,
        };
        if let Some(body) = self.mechanism.handle_greeting(&self.config)? {
            self.put_secret_command(body);
        }
        Ok(())
    }

    pub(crate) fn handle_handshake_command(
        &mut self,
        command: Command<'_>,
        now: Instant,
    ) -> Result<(), PeerError> {
        if self.asked {
            return Err(Misbehaved::UnexpectedCommand.into());
        }
        let step = self.mechanism.handle_command(command, &self.config)?;
        self.carry_out(step, now)
    }

    /// Somebody answered, if it was asked.
    pub(crate) fn handle_verdict(
        &mut self,
        verdict: Verdict,
        now: Instant,
    ) -> Result<(), PeerError> {
        if !std::mem::take(&mut self.asked) {
            return Ok(());
        }
        // Whoever drives the link may be late as well.
        if self.poll_timeout().is_some_and(|deadline| deadline <= now) {
            return Err(Misbehaved::HandshakeTimeout.into());
        }
        match verdict {
            Verdict::Admit(user) => {
                let step = self.mechanism.admit(user, &self.config)?;
                self.carry_out(step, now)
            }
            Verdict::Deny => self.deny(DENIED),
            Verdict::Unavailable => self.deny(UNAVAILABLE),
        }
    }

    fn deny(&mut self, code: u16) -> Result<(), PeerError> {
        self.put_command(&self.mechanism.refusal(code))?;
        Err(PeerError::Denied(code))
    }

    fn carry_out(&mut self, step: Step, now: Instant) -> Result<(), PeerError> {
        match step {
            Step::Send(body) => {
                self.put_secret_command(body);
                Ok(())
            }
            Step::Ask(question) => {
                self.asked = true;
                self.events.tell(Event::Ask(question));
                Ok(())
            }
            Step::Complete(complete) => self.become_ready(complete, now),
        }
    }

    fn become_ready(&mut self, complete: Complete, now: Instant) -> Result<(), PeerError> {
        let Phase::Handshake(start) = &self.phase else { return Ok(()) };
        let minor = start.greeting.minor();
        #[cfg(feature = "_curve")]
        let client_key = complete.client_key;
        let Complete { last, metadata, user, session, .. } = complete;
        // Whoever got as far has read what was queued: no room is kept for secrets, which had buffers of their own.
        self.output.release();
        if let Some(body) = last {
            self.put_command(&body)?;
        }
        if let Some(session) = session {
            self.output.seal_with(session.sealer);
            self.decoder.open_with(session.opener);
        }
        let Metadata { identity, socket_type, properties } = metadata;
        let mechanism = self.config.mechanism.name();
        let ready = Ready {
            identity,
            socket_type,
            minor,
            mechanism,
            user,
            #[cfg(feature = "_curve")]
            client_key,
            properties,
        };
        self.events.tell(Event::Ready(Box::new(ready)));
        self.phase = Phase::Traffic;
        self.mechanism = Mechanism::Over;
        self.decoder.begin_traffic();
        self.liveness.begin(minor, now);
        // A REQ takes no message that it did not ask for: libzmq's closes the link on an empty one
        // (`req.cpp`, `req_session_t::push_msg`).
        if self.config.probe && socket_type != SocketType::Req {
            // The probe is the first message of its direction: under CURVE its nonce is not used up yet.
            self.output.put_probe();
        }
        Ok(())
    }

    /// Queues a command that may hold a password, and wipes it.
    fn put_secret_command(&mut self, body: Vec<u8>) {
        self.output.put_secret(&Zeroizing::new(body));
    }
}
