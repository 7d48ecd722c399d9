//! When a link has waited for too long, and for what.

use super::{Connection, Phase};
use crate::error::{Misbehaved, PeerError};
use std::time::Instant;

impl Connection {
    /// When to call [`handle_timeout`](Self::handle_timeout), if nothing else happens before.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.failed.is_some() {
            return None;
        }
        match &self.phase {
            Phase::Greeting(start) => start.greeting_deadline,
            Phase::Handshake { deadline, .. } => *deadline,
            Phase::Traffic => match (self.liveness.deadline(), self.stalls_at()) {
                (Some(beat), Some(stall)) => Some(beat.min(stall)),
                (beat, stall) => beat.or(stall),
            },
        }
    }

    /// When a message that was begun has waited too long for its next byte.
    fn stalls_at(&self) -> Option<Instant> {
        if self.decoder.is_between_messages() {
            return None;
        }
        self.liveness.last_heard().checked_add(self.config.message_timeout)
    }

    /// The moment of [`poll_timeout`](Self::poll_timeout) came. Harmless at any other.
    ///
    /// # Errors
    /// The peer was too slow or silent for too long.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), PeerError> {
        self.unless_failed(|this| {
            if this.poll_timeout().is_none_or(|deadline| now < deadline) {
                return Ok(());
            }
            match this.phase {
                Phase::Traffic if this.stalls_at().is_some_and(|at| at <= now) => {
                    Err(Misbehaved::Stalled.into())
                }
                Phase::Traffic => this.beat(now),
                Phase::Greeting(_) | Phase::Handshake { .. } => {
                    Err(Misbehaved::HandshakeTimeout.into())
                }
            }
        })
    }
}
