//! From a request that came in a datagram to a handler that runs, and its answer or its silence.

use crate::datagram::log::Silent;
use crate::datagram::peer::Peer;
use crate::datagram::shared::SharedSocket;
use crate::engine::blocking_jobs::JobOwner;
use crate::serve::caller::Caller;
use crate::serve::cancelled::Cancelled;
use crate::serve::dispatch::Started;
use crate::serve::handler::{Handler, HandlerResult};
use crate::serve::handler_panics::{CaughtAnswer, Whose, answered, catch, dropped};
use crate::serve::on_disconnect::while_wanted;
use crate::serve::registry::service_table::Served;
use crate::serve::request::{Asked, Request};
use crate::serve::resolve::Resolving;
use pseud_proto::Provenance;
use pseud_proto::peer::PeerInfo;
use pseud_proto::rpcudp::{Silence, Ticket, TicketId};
use pseud_proto::session::ShareOwner;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// The duty to answer a request or to be silent, once. Dropped, it is given up.
struct DatagramResponder {
    shared: Arc<SharedSocket>,
    id: TicketId,
    ticket: Option<Ticket>,
    method: String,
    from: SocketAddr,
}

impl DatagramResponder {
    fn answer(mut self, answer: HandlerResult) {
        let Some(ticket) = self.ticket.take() else { return };
        let silent = match answer {
            Ok(result) => self.shared.reply(ticket, &result).map_err(|why| (why, None)),
            Err(fault) => {
                self.shared.abandon(ticket, Silence::Fault);
                Err((Silence::Fault, Some(fault.to_string())))
            }
        };
        match silent {
            Ok(()) => self.shared.flush(),
            Err((why, fault)) => self.notify(why, fault),
        }
    }

    fn silence(mut self, why: Silence) {
        self.give_up(why);
    }

    /// Nobody waits for it any more: this endpoint is closed, or it took too long.
    fn unwanted(mut self) {
        let why = match self.shared.hub.is_shut_down() {
            true => Silence::Abandoned,
            false => Silence::Overdue,
        };
        self.give_up(why);
    }

    fn give_up(&mut self, why: Silence) {
        let Some(ticket) = self.ticket.take() else { return };
        self.shared.abandon(ticket, why);
        self.notify(why, None);
    }

    fn notify(&mut self, why: Silence, fault: Option<String>) {
        let (method, from) = (std::mem::take(&mut self.method), self.from);
        self.shared.log.silent(Silent { method, from, why, fault }, self.shared.now());
    }
}

impl Drop for DatagramResponder {
    fn drop(&mut self) {
        self.give_up(Silence::Abandoned);
    }
}

/// What serves the requests of an endpoint.
#[derive(Debug)]
pub(super) struct ServedEndpoint {
    pub(super) shared: Arc<SharedSocket>,
    pub(super) served: Arc<Served>,
}

impl ServedEndpoint {
    /// Polls the request's handler here; only one that has to wait costs a task.
    pub(super) fn serve(&self, request: pseud_proto::rpcudp::Request) {
        let (shared, from) = (&self.shared, request.from());
        let (ticket, name, arguments) = request.into_parts();
        let (id, method) = (ticket.id(), name.to_string());
        let responder =
            DatagramResponder { shared: shared.clone(), id, ticket: Some(ticket), method, from };
        let request = Request {
            asked: Asked::Datagram(shared.clone(), id),
            caller: caller(shared, from),
            name,
            arguments,
        };
        let snapshot = self.served.snapshot();
        let candidates = self.served.candidates(&snapshot, request.name());
        dropped(snapshot);
        let mut resolving = Resolving::new(candidates);
        let mut cx = Context::from_waker(Waker::noop());
        match resolving.poll(&request, &self.served, &mut cx) {
            Poll::Ready(None) => responder.silence(Silence::NoSuchService),
            Poll::Ready(Some(handler)) => begin(responder, request, handler),
            Poll::Pending => {
                let resolved = resolved(responder, resolving, request, self.served.clone());
                shared.hub.runtime.spawn(Box::pin(resolved));
            }
        }
    }

    /// Ends everything; handlers of its own are forgotten.
    pub(super) fn close(&self) {
        self.shared.close();
        self.served.end();
    }
}

/// Nobody, at that address.
fn caller(shared: &Arc<SharedSocket>, from: SocketAddr) -> Caller {
    let info = PeerInfo::new("".into()).with_address(from.to_string());
    let (nobody, info) = (shared.nobody.clone(), Arc::new(info));
    let mut caller = Caller::of_session(nobody, info, Provenance::default());
    caller.sender = Some(Peer::new(shared.clone(), from));
    caller
}

/// Of a request that predicates have accepted.
fn begin(responder: DatagramResponder, request: Request, handler: Handler) {
    match Started::of(request, handler) {
        Some(started) => start(responder, started),
        None => responder.unwanted(),
    }
}

fn start(responder: DatagramResponder, started: Started) {
    let hub = responder.shared.hub.clone();
    match started {
        Started::Answered(answer) => responder.answer(answer),
        Started::Answering(mut answering) => {
            let mut cx = Context::from_waker(Waker::noop());
            match Pin::new(&mut answering).poll(&mut cx) {
                Poll::Ready(answer) => responder.answer(answered(answer)),
                Poll::Pending => {
                    let gone = Cancelled::of_datagram(responder.shared.clone(), responder.id);
                    hub.runtime.spawn(Box::pin(waited_for(responder, gone, answering)));
                }
            }
        }
        Started::Blocking(handler, request) => {
            let (ip, owner) = (responder.from.ip(), JobOwner::Address(responder.from.ip()));
            let job = move || {
                // None begins once the endpoint is closed, or after the request's time.
                if request.cancelled().is_cancelled() {
                    return responder.unwanted();
                }
                let whose = Whose::of(&request);
                responder.answer(catch(&whose, move || handler(request)));
            };
            hub.blocking.run(owner, ShareOwner::source(ip), Box::new(job));
        }
    }
}

/// The rest of a request's way, where a predicate had to wait.
async fn resolved(
    responder: DatagramResponder,
    mut resolving: Resolving,
    request: Request,
    served: Arc<Served>,
) {
    let mut gone = request.cancelled();
    match while_wanted(&mut gone, |cx| resolving.poll(&request, &served, cx)).await {
        None => responder.unwanted(),
        Some(None) => responder.silence(Silence::NoSuchService),
        Some(Some(handler)) => begin(responder, request, handler),
    }
}

/// The rest of a handler's way that has to wait: until the endpoint is closed, or it has waited for too
/// long.
async fn waited_for(
    responder: DatagramResponder,
    mut gone: Cancelled,
    mut answering: CaughtAnswer,
) {
    let answer = while_wanted(&mut gone, |cx| Pin::new(&mut answering).poll(cx)).await;
    // While it is dropped it still counts as one that runs.
    drop(answering);
    match answer {
        Some(answer) => responder.answer(answered(answer)),
        None => responder.unwanted(),
    }
}
