//! A link's end, whoever wants it.

use super::StreamLink;
use super::exchange::ExchangeFindings;
use crate::engine::any_link::AnyLink;
use crate::runtime::Writer;
use pseud_proto::Reason;
use std::sync::Arc;
use std::sync::atomic::Ordering;

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
        self.asking.wake();
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
                // Answers that wait have come; requests that wait have not begun, and are not served.
                let mut heard = ExchangeFindings { all: true, ..ExchangeFindings::default() };
                // A few at a time: packets unfold. What is behind one that ends the link is not looked at.
                loop {
                    let read = connection.handle_waiting(now);
                    let connection = &mut *connection;
                    let told = self.exchange(
                        connection,
                        &mut Default::default(),
                        session,
                        noted,
                        &mut heard,
                        now,
                    );
                    if read.and(told).is_err() || !connection.has_waiting() {
                        break;
                    }
                }
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
}
