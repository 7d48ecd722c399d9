//! The duty to answer.

use super::handler::HandlerResult;
use crate::engine::hub::Hub;
use pseud_proto::pseud::Endpoint;
use pseud_proto::{Refusal, Ticket};
use std::sync::Arc;
use std::time::Instant;

/// The duty to answer one request, once. Dropped without an answer (its task was killed, or nobody
/// waits any more), it tells the caller so.
#[derive(Debug)]
pub(crate) struct Responder {
    pub(crate) hub: Arc<Hub>,
    ticket: Option<Ticket>,
    size: usize,
}

impl Responder {
    /// Of a request whose message has that size.
    pub(crate) fn new(hub: &Arc<Hub>, ticket: Ticket, size: usize) -> Self {
        hub.running.begin(size);
        Self { hub: hub.clone(), ticket: Some(ticket), size }
    }

    pub(crate) fn answer(mut self, answer: HandlerResult) {
        self.end(|endpoint, ticket, now| endpoint.reply(ticket, answer, now));
    }

    /// No handler was run.
    pub(crate) fn refuse(mut self, refusal: &Refusal) {
        self.end(|endpoint, ticket, now| endpoint.refuse(ticket, refusal, now));
    }

    fn end(&mut self, end: impl FnOnce(&mut Endpoint, Ticket, Instant)) {
        let Some(ticket) = self.ticket.take() else { return };
        // The request's place is free before its answer leaves: who has read the answer may ask for as much
        // again at once.
        self.hub.running.end(self.size);
        let waiting = self.hub.act(|inner, now| {
            let waiting = inner.not_cancelled(&ticket);
            end(&mut inner.endpoint, ticket, now);
            waiting
        });
        waiting.iter().for_each(|waker| waker.wake());
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.end(|endpoint, ticket, now| endpoint.abandon(ticket, now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::tests::ByHand;
    use crate::serve::cancelled::Cancelled;
    use pseud_proto::peer::PeerInfo;
    use pseud_proto::zmtp::Parts;
    use pseud_proto::{Action, Config, Fault};
    use std::future::Future;
    use std::pin::Pin;
    use std::sync::Mutex;
    use std::task::{Context, Wake, Waker};

    /// Woken as an answer goes out: notes which handlers count as running at that moment.
    struct Looks(Arc<Hub>, Mutex<Vec<(usize, usize)>>);

    impl Wake for Looks {
        fn wake(self: Arc<Self>) {
            self.1.lock().unwrap().push(self.0.running.now());
        }
    }

    fn hub() -> Arc<Hub> {
        Arc::new(Hub::new(Arc::new(Config::default()), ByHand::default()).unwrap())
    }

    /// The duty to answer a request that has just come.
    fn duty(hub: &Arc<Hub>) -> Ticket {
        let work = [b"".as_slice(), b"v1", b"", b"\x03", b"\x93\xa1x\x90\x80"];
        let endpoint = &mut hub.lock().endpoint;
        let peer = endpoint.handle_connected(PeerInfo::new("".into()), hub.now());
        endpoint.handle_message(peer, Parts::from_frames(&work).unwrap(), hub.now()).unwrap();
        let mut actions = std::iter::from_fn(|| endpoint.poll_action());
        let request = actions.find_map(|action| match action {
            Action::Serve(request) => Some(request),
            _ => None,
        });
        request.unwrap().into_ticket()
    }

    /// Who has the answer may call again at once, and find the room of the call that was answered.
    #[test]
    fn its_room_is_free_before_the_answer_goes_out() {
        let hub = hub();
        let looks = Arc::new(Looks(hub.clone(), Mutex::default()));
        let answers: [fn(Responder); 3] = [
            |responder| responder.answer(Err(Fault::new("E", ""))),
            |responder| responder.refuse(&Refusal::Draining),
            drop,
        ];
        for answer in answers {
            let ticket = duty(&hub);
            let mut over = Cancelled::new(hub.clone(), ticket.request());
            let responder = Responder::new(&hub, ticket, 7);
            assert_eq!(hub.running.now(), (1, 7));
            let waker = Waker::from(looks.clone());
            assert!(Pin::new(&mut over).poll(&mut Context::from_waker(&waker)).is_pending());
            answer(responder);
            assert_eq!(hub.running.now(), (0, 0));
        }
        assert_eq!(*looks.1.lock().unwrap(), [(0, 0); 3]);
    }
}
