//! A link's end, whoever wants it.

use super::StreamLink;
use super::carrier::Carrier;
use super::exchange::ExchangeFindings;
use crate::engine::any_link::AnyLink;
use crate::engine::noted::Noted;
use crate::runtime::Writer;
use pseud_proto::Reason;
use pseud_proto::session::Session;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

impl<W: Writer> StreamLink<W> {
    /// This side wants no more of the link: when this returns its session is over, or never begins. Its
    /// task then closes the socket.
    pub fn end(self: &Arc<Self>, reason: Reason) {
        let mut inner = self.hub().lock();
        let stranger = self.take_pending(&mut inner);
        drop(inner);
        drop(stranger);
        if let Some(seat) = self.seat.get() {
            seat.end(reason);
        }
        self.close(reason);
    }

    /// The link is over: its session ends, and its calls with it. Nothing is written after this but
    /// the last word of a handshake that failed: the calls were told whether they had left.
    pub fn gone(self: &Arc<Self>, reason: Reason) {
        let hub = self.hub();
        if self.ended.swap(true, Ordering::AcqRel) {
            return;
        }
        self.asked.wake();
        let stranger = self.take_pending(&mut hub.lock());
        if let Some(stranger) = stranger {
            self.refused(reason);
            stranger.failed(reason, hub.now());
        }
        // Set under the hub's lock, by whoever took the link off that list.
        let Some(seat) = self.seat.get() else { return };
        // Under the connection's lock: whoever writes here now has first to say what was written.
        let mut connection = self.lock();
        let now = hub.now();
        let is_joining = self.is_joining.load(Ordering::Acquire);
        let ((), mut effects) = seat.visit(|session, noted| {
            if !is_joining {
                self.take_waiting(&mut connection, session, noted, now);
            }
            self.over.store(true, Ordering::Relaxed);
            session.handle_gone(reason, noted);
        });
        drop(connection);
        drop(effects.forget_link());
        self.host.dispatcher.give_back(effects.take_arrived(), seat);
        seat.perform(&mut effects, true);
        // It may have ended before, and whoever ended it be about to say so.
        hub.left(seat);
    }

    /// What had come before the end and waits: answers count; requests have not begun, and are not served.
    fn take_waiting(
        &self,
        connection: &mut Carrier,
        session: &mut Session,
        noted: &mut Noted<'_>,
        now: Instant,
    ) {
        let mut heard = ExchangeFindings { all: true, ..ExchangeFindings::default() };
        // A few at a time: packets unfold. What is behind one that ends the link is not looked at.
        loop {
            let read = connection.handle_waiting(now);
            let (mut opened, mut input) = Default::default();
            let nothing = (&mut opened, &mut input);
            let told = self.exchange(connection, nothing, session, noted, &mut heard, now);
            if read.and(told).is_err() || !connection.has_waiting() {
                break;
            }
        }
    }
}
