//! What a link makes of commands, and when it asks for a sign of life (RFC 37, "commands" and "connection
//! heartbeating").

use super::{Connection, Phase};
use crate::error::{Insecure, Misbehaved, PeerError};
use crate::wire::zmtp::command;
use crate::wire::zmtp::command::{Command, Ping};
use crate::wire::zmtp::connection::decoded::Decoded;
use crate::wire::zmtp::decoder::Found;
use crate::wire::zmtp::event::Event;
use crate::wire::zmtp::heartbeat::Beat;
use crate::wire::zmtp::input::{Input, Rules};
use std::time::Instant;
use zeroize::Zeroize;

/// How much may wait to be written for a PING still to be answered. A peer that reads hears from us
/// anyway, and one that does not read is not written for without bound.
const PONG_BACKLOG_MAX: usize = 256 << 10;

impl Connection {
    /// The next thing that the input holds.
    #[inline]
    pub(crate) fn decode<'a>(
        &mut self,
        input: &mut Input<'a>,
        now: Instant,
    ) -> Result<Decoded<'a>, PeerError> {
        loop {
            let mut rules = Rules { config: &self.config, stats: &mut self.stats };
            match self.decoder.run(input, &mut rules)? {
                Found::Message(bytes) => return Ok(Decoded::Message(bytes)),
                Found::TooLarge(large) => return Ok(Decoded::Event(Event::TooLarge(large))),
                Found::Partial => {
                    self.decoder.rest();
                    if let Some((message, came)) = self.decoder.partial() {
                        self.coming.note(message, came, now);
                    }
                    return Ok(Decoded::Nothing);
                }
                Found::Command(mut body) => {
                    let known = self.events.len();
                    let handled =
                        Command::parse(&body).and_then(|command| self.handle_command(command, now));
                    body.zeroize();
                    handled?;
                    if !input.is_empty() {
                        // What follows a PING within its own read ends its ttl as well.
                        self.liveness.heard(now);
                    }
                    // A command has one event to tell at most.
                    if self.events.len() > known
                        && let Some(event) = self.events.pop_back()
                    {
                        return Ok(Decoded::Event(event));
                    }
                }
            }
        }
    }

    fn handle_command(&mut self, command: Command<'_>, now: Instant) -> Result<(), PeerError> {
        match self.phase {
            Phase::Greeting(_) => Ok(()),
            Phase::Handshake(_) => self.handle_handshake_command(command, now),
            Phase::Traffic => self.handle_traffic_command(command, now),
        }
    }

    fn handle_traffic_command(
        &mut self,
        command: Command<'_>,
        now: Instant,
    ) -> Result<(), PeerError> {
        if !self.flood.spend(self.config.limits.flood, now) {
            return Err(Misbehaved::Flood.into());
        }
        match command.name {
            b"PING" => {
                let ping = Ping::parse(command.data)?;
                count(&mut self.stats.pings);
                self.liveness.expect(ping.ttl_deciseconds, now);
                if self.output.backlog() < PONG_BACKLOG_MAX {
                    self.put_command(&command::pong(ping.context))?;
                }
            }
            b"PONG" => count(&mut self.stats.pongs),
            b"SUBSCRIBE" | b"CANCEL" => count(&mut self.stats.subscriptions),
            b"READY" | b"ERROR" => count(&mut self.stats.late_commands),
            _ => count(&mut self.stats.unknown_commands),
        }
        Ok(())
    }

    pub(crate) fn beat(&mut self, now: Instant) -> Result<(), PeerError> {
        match self.liveness.beat(now) {
            Beat::Wait => Ok(()),
            Beat::Silent => Err(PeerError::HeartbeatTimeout),
            Beat::Ping => {
                self.output.release();
                self.events.release();
                let body = command::ping(self.liveness.ttl_deciseconds());
                self.put_command(&body)
            }
        }
    }

    pub(crate) fn put_command(&mut self, body: &[u8]) -> Result<(), PeerError> {
        if self.output.put_command(body) { Ok(()) } else { Err(Insecure::Exhausted.into()) }
    }
}

fn count(seen: &mut u32) {
    *seen = seen.saturating_add(1);
}
