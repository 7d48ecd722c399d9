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
            Phase::Handshake(start) => start.deadline,
            Phase::Traffic => {
                let waits = [self.liveness.deadline(), self.stalls_at(), self.leaves_by()];
                waits.into_iter().flatten().min()
            }
        }
    }

    /// When a message that was begun has waited too long for its next byte.
    fn stalls_at(&self) -> Option<Instant> {
        let (message, _) = self.decoder.partial()?;
        let next_byte = self.liveness.last_heard().checked_add(self.config.message_timeout);
        let enough = self.coming.deadline(message, &self.config.progress);
        next_byte.into_iter().chain(enough).min()
    }

    /// When the peer must have read enough of what waits for it. Where that is not looked at yet, PINGs give
    /// the occasion; without them it is to be now.
    fn leaves_by(&self) -> Option<Instant> {
        if self.backlog() == 0 {
            return None;
        }
        let end = self.leaving.of().filter(|end| *end > self.output.written());
        match end {
            Some(end) => self.leaving.deadline(end, &self.config.progress),
            None if self.liveness.pings() => None,
            None => Some(self.liveness.last_heard()),
        }
    }

    /// Whether a message that was begun goes on, and the peer reads.
    fn check_progress(&mut self, now: Instant) -> Result<(), PeerError> {
        let (config, written) = (&self.config, self.output.written());
        if let Some((message, came)) = self.decoder.partial()
            && (self.liveness.last_heard().checked_add(config.message_timeout))
                .is_some_and(|at| at <= now)
                | !self.coming.is_made(message, came, now, &config.progress)
        {
            return Err(Misbehaved::Stalled.into());
        }
        if self.backlog() > 0 {
            // All that waited then is another thing than what waits now.
            let end = self.leaving.of().filter(|end| *end > written);
            let end = end.unwrap_or(written + self.backlog() as u64);
            if !self.leaving.is_made(end, written, now, &config.progress) {
                return Err(Misbehaved::Unread.into());
            }
        }
        Ok(())
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
                Phase::Traffic => this.check_progress(now).and_then(|()| this.beat(now)),
                Phase::Greeting(_) | Phase::Handshake(_) => {
                    Err(Misbehaved::HandshakeTimeout.into())
                }
            }
        })
    }
}
