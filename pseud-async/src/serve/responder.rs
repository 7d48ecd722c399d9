//! The duty to answer.

use super::handler::HandlerResult;
use crate::engine::seat::Seat;
use pseud_proto::session::{Arrived, Reply};
use pseud_proto::{Fault, Refusal, Ticket};
use std::sync::Arc;

/// The duty to answer one request, once. Dropped without an answer (its task was killed, or nobody
/// waits any more), it tells the caller so. Until then the request has its place, also where its session
/// has ended.
#[derive(Debug)]
pub(crate) struct Responder {
    seat: Arc<Seat>,
    ticket: Option<Ticket>,
}

impl Responder {
    /// Of a request of that session, which keeps it from now on.
    pub(crate) fn new(seat: &Arc<Seat>, arrived: Arrived) -> Self {
        let ticket = seat.act(|session, _| session.keep(arrived));
        Self { seat: seat.clone(), ticket: Some(ticket) }
    }

    pub(crate) fn answer(mut self, answer: HandlerResult) {
        self.end(Reply::Handled(answer));
    }

    /// No handler was run.
    pub(crate) fn refuse(mut self, refusal: Refusal) {
        self.end(Reply::Refused(refusal));
    }

    fn end(&mut self, reply: Reply) {
        let Some(ticket) = self.ticket.take() else { return };
        let now = self.seat.hub.now();
        self.seat.act(|session, noted| {
            noted.not_cancelled(ticket.request());
            session.reply(ticket, reply, now, noted);
        });
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        let silent = Fault::new("RuntimeError", "the handler gave no answer");
        self.end(Reply::Handled(Err(silent)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::hub::Hub;
    use crate::engine::joining::Newcomer;
    use crate::runtime::tests::ByHand;
    use crate::serve::cancelled::Cancelled;
    use pseud_proto::Config;
    use pseud_proto::peer::PeerInfo;
    use pseud_proto::zmtp::Parts;
    use std::future::Future;
    use std::pin::Pin;
    use std::sync::Mutex;
    use std::task::{Context, Wake, Waker};

    /// Woken as an answer goes out: notes what has a place at that moment.
    struct Looks(Arc<Hub>, Mutex<Vec<(usize, usize)>>);

    impl Looks {
        fn open(&self) -> (usize, usize) {
            let taken = self.0.budget.taken();
            (taken.requests, taken.request_bytes)
        }
    }

    impl Wake for Looks {
        fn wake(self: Arc<Self>) {
            self.1.lock().unwrap().push(self.open());
        }
    }

    /// The duty to answer a request that has just come.
    fn duty(seat: &Seat) -> Arrived {
        let work = [b"".as_slice(), b"v1", b"", b"\x03", b"\x93\xa1x\x90\x80"];
        let (handled, mut effects) = seat.handle_message(Parts::from_frames(&work).unwrap());
        handled.unwrap();
        effects.take_arrived().requests.pop().unwrap().0
    }

    /// Who has the answer may call again at once, and find the room of the call that was answered.
    #[test]
    fn its_room_is_free_before_the_answer_goes_out() {
        let hub = Arc::new(Hub::new(Arc::new(Config::default()), ByHand::default()).unwrap());
        let looks = Arc::new(Looks(hub.clone(), Mutex::default()));
        let answers: [fn(Responder); 3] = [
            |responder| responder.answer(Err(Fault::new("E", ""))),
            |responder| responder.refuse(Refusal::Draining),
            drop,
        ];
        for answer in answers {
            let seat = Newcomer::without_link(&hub, PeerInfo::new("".into()));
            let arrived = duty(&seat);
            let mut over = Cancelled::new(seat.clone(), arrived.request());
            let responder = Responder::new(&seat, arrived);
            assert_eq!(looks.open().0, 1);
            let waker = Waker::from(looks.clone());
            assert!(Pin::new(&mut over).poll(&mut Context::from_waker(&waker)).is_pending());
            answer(responder);
            assert_eq!(looks.open(), (0, 0));
        }
        assert_eq!(*looks.1.lock().unwrap(), [(0, 0); 3]);
    }

    /// What a handler holds it holds until it has ended, whether its caller is there or not.
    #[test]
    fn its_room_is_taken_for_as_long_as_somebody_works_for_it() {
        let hub = Arc::new(Hub::new(Arc::new(Config::default()), ByHand::default()).unwrap());
        let looks = Looks(hub.clone(), Mutex::default());
        let seat = Newcomer::without_link(&hub, PeerInfo::new("".into()));
        let arrived = duty(&seat);
        let responder = Responder::new(&seat, arrived);
        let before = looks.open();
        seat.end(pseud_proto::Reason::PeerGone);
        assert_eq!((looks.open(), hub.stats().sessions), (before, 0));
        drop(responder);
        assert_eq!(looks.open(), (0, 0));
    }
}
