//! Messages that came, handed to their session.

#[cfg(test)]
use super::effects::Effects;
use super::hub::Hub;
use super::noted::Noted;
use super::seat::Seat;
use pseud_proto::session::{Came, Portion, Session};
use pseud_proto::zmtp::{IncomingMessage, Parts};
use pseud_proto::{PeerError, PeerId};
use std::time::Instant;

impl Noted<'_> {
    /// What comes of a message, noted down.
    pub(crate) fn take(
        &mut self,
        session: &mut Session,
        message: Parts,
        portion: &mut Portion<'_>,
        now: Instant,
    ) -> Result<(), PeerError> {
        let came = session.handle_message(message, now, portion, self)?;
        self.note(came);
        Ok(())
    }

    /// The same of a message that lies where it came.
    #[inline]
    pub(crate) fn take_received(
        &mut self,
        session: &mut Session,
        message: IncomingMessage<'_>,
        portion: &mut Portion<'_>,
        now: Instant,
    ) -> Result<(), PeerError> {
        let came = session.handle_received(message, now, portion, self)?;
        self.note(came);
        Ok(())
    }

    fn note(&mut self, came: Came) {
        match came {
            Came::Nothing => {}
            Came::Login(question) => self.effects.arrived.login = Some(question.into()),
        }
    }
}

#[cfg(test)]
impl Seat {
    /// One message came.
    ///
    /// # Errors
    /// Its peer is to be let go.
    pub(crate) fn handle_message(&self, message: Parts) -> (Result<(), PeerError>, Effects) {
        let now = self.hub.now();
        let mut portion = Portion::exact(&self.hub.budget);
        self.visit(|session, noted| noted.take(session, message, &mut portion, now))
    }
}

impl Hub {
    /// Sends that peer a HEARTBEAT: see [`Session::send_heartbeat`].
    pub(crate) fn heartbeat(&self, peer: PeerId) {
        let seat = self.lock().seat(peer);
        if let Some(seat) = seat {
            seat.act(|session, noted| session.send_heartbeat(noted));
        }
    }

    /// Somebody is about to be asked who that is: a revocation from here on counts.
    pub(crate) fn asks_about(&self, seat: &Seat) {
        self.lock().directory.asked(seat.peer);
    }
}
