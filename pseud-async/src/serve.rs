//! Serving: from a request that arrived to a handler that runs, and its answer.

use crate::caller::Caller;
use crate::cancelled::Cancelled;
use crate::caught::{Guarded, guarded, guarded_future};
use crate::handler::{Answer, Handler, Plain};
use crate::hub::Hub;
use crate::request::Request;
use crate::resolve::Resolving;
use crate::responder::Responder;
use pseud_proto::value::Unchecked;
use pseud_proto::{Fault, PeerId, RequestId, Ticket};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

/// Bytes of answers that are gathered before they are handed on: about what one write takes.
const PORTION_BYTES: usize = 128 << 10;

/// Serves requests that arrived together: what is ready at once is answered together (large answers
/// in portions, so that they do not pile up before the first is written), the rest is spawned. Returns
/// whether the link in whose task this runs has something to flush.
pub(crate) fn serve_all(
    hub: &Arc<Hub>,
    requests: Vec<pseud_proto::Request>,
    closings: usize,
    here: Option<PeerId>,
) -> bool {
    if requests.is_empty() {
        return false;
    }
    let (mut ready, mut bytes) = (Vec::new(), 0);
    for request in requests {
        let served = match is_over(hub, closings, request.id()) {
            false => serve(hub, request),
            true => Some((request.into_parts().0, Err(Fault::new("Cancelled", "")))),
        };
        let Some((ticket, answer)) = served else { continue };
        bytes += answer.as_ref().map_or(0, |packed| packed.as_bytes().len());
        ready.push((ticket, answer));
        if bytes >= PORTION_BYTES {
            deliver(hub, std::mem::take(&mut ready), None);
            let link = here.and_then(|peer| hub.lock().link(peer).cloned());
            link.inspect(|link| link.flush_now(hub));
            bytes = 0;
        }
    }
    deliver(hub, ready, here)
}

/// Whether a request's session was ended by this side after it had come: whoever was revoked has no
/// handler begun. Looked up only where some session was, as that takes the lock.
fn is_over(hub: &Hub, closings: usize, request: RequestId) -> bool {
    hub.closings.load(Ordering::Acquire) != closings && !hub.lock().endpoint.is_open(request)
}

fn deliver(hub: &Arc<Hub>, ready: Vec<(Ticket, Answer)>, here: Option<PeerId>) -> bool {
    let (waiting, effects) = hub.with(|inner, now| {
        let mut waiting = Vec::new();
        for (ticket, answer) in ready {
            waiting.append(&mut inner.not_cancelled(&ticket));
            inner.endpoint.reply(ticket, answer, now);
        }
        waiting
    });
    let flush_here = effects.run(hub, here);
    waiting.iter().for_each(|waker| waker.wake());
    flush_here
}

/// Starts one request; returns its answer if that is ready at once.
fn serve(hub: &Arc<Hub>, request: pseud_proto::Request) -> Option<(Ticket, Answer)> {
    // The endpoint counts requests whose callers are there; a caller that leaves frees its room there,
    // but not what its handlers still hold.
    let max = hub.config.limits.requests_open_max;
    if hub.running.load(Ordering::Relaxed) >= max {
        let (ticket, _) = request.into_parts();
        return Some((ticket, Err(Fault::new("Overloaded", format!("{max} handlers run")))));
    }
    let mut resolving = Resolving::new(hub.served.candidates(request.name()));
    let (ticket, arrived) = Arrived::new(hub, request);
    let mut cx = Context::from_waker(Waker::noop());
    match resolving.poll(&arrived.caller, &mut cx) {
        Poll::Ready(Some(handler)) => here(hub, ticket, arrived.start(handler)),
        Poll::Ready(None) => Some((ticket, Err(arrived.unserved()))),
        Poll::Pending => {
            let responder = Responder::new(hub, ticket);
            (hub.runtime.spawn)(Box::pin(resolved(responder, resolving, arrived)));
            None
        }
    }
}

/// A request for which a handler is looked for.
struct Arrived {
    id: RequestId,
    caller: Caller,
    name: Box<str>,
    rest: Unchecked,
}

/// What has become of a request whose handler is known.
enum Started {
    Answered(Answer),
    Answering(Guarded),
    /// It is to run on a thread that may block.
    Blocking(Plain, Request),
}

impl Arrived {
    fn new(hub: &Arc<Hub>, request: pseud_proto::Request) -> (Ticket, Self) {
        let caller =
            Caller { hub: hub.clone(), peer: request.peer(), info: request.caller().clone() };
        let (id, name) = (request.id(), request.name().into());
        let (ticket, rest) = request.into_parts();
        (ticket, Self { id, caller, name, rest })
    }

    /// The same of a name that nobody serves and of one that this caller may not reach.
    fn unserved(self) -> Fault {
        Fault::new("ServiceNotFoundError", self.name)
    }

    fn start(self, handler: Handler) -> Started {
        let Self { id, caller, name, rest } = self;
        let arguments = match rest.check_call(&caller.hub.value_limits) {
            Ok(arguments) => arguments,
            Err(bad) => return Started::Answered(Err(Fault::new("TypeError", bad.to_string()))),
        };
        let request = Request { id, caller, name, arguments };
        match handler {
            Handler::Inline(handler) => Started::Answered(guarded(|| handler(request))),
            Handler::Async(handler) => match guarded_future(|| handler(request)) {
                Ok(answering) => Started::Answering(answering),
                Err(fault) => Started::Answered(Err(fault)),
            },
            Handler::Blocking(handler) => Started::Blocking(handler, request),
        }
    }
}

/// Polls a handler where its request arrived; only one that has to wait costs a task.
fn here(hub: &Arc<Hub>, ticket: Ticket, started: Started) -> Option<(Ticket, Answer)> {
    match started {
        Started::Answered(answer) => return Some((ticket, answer)),
        Started::Answering(mut answering) => {
            let mut cx = Context::from_waker(Waker::noop());
            if let Poll::Ready(answer) = Pin::new(&mut answering).poll(&mut cx) {
                return Some((ticket, answer));
            }
            let responder = Responder::new(hub, ticket);
            (hub.runtime.spawn)(Box::pin(async move { responder.answer(answering.await) }));
        }
        Started::Blocking(handler, request) => {
            block(Responder::new(hub, ticket), handler, request);
        }
    }
    None
}

/// The rest of a request's way, where a predicate had to wait. Whoever is gone meanwhile is not served.
async fn resolved(responder: Responder, mut resolving: Resolving, arrived: Arrived) {
    let mut gone = Cancelled::new(arrived.caller.hub.clone(), arrived.id);
    let found = poll_fn(|cx| match Pin::new(&mut gone).poll(cx) {
        Poll::Ready(()) => Poll::Ready(None),
        Poll::Pending => resolving.poll(&arrived.caller, cx).map(Some),
    });
    let found = found.await;
    drop(gone);
    match found {
        None => {}
        Some(None) => responder.answer(Err(arrived.unserved())),
        Some(Some(handler)) => match arrived.start(handler) {
            Started::Answered(answer) => responder.answer(answer),
            Started::Answering(answering) => responder.answer(answering.await),
            Started::Blocking(handler, request) => block(responder, handler, request),
        },
    }
}

fn block(responder: Responder, handler: Plain, request: Request) {
    let hub = request.caller().hub.clone();
    (hub.runtime.spawn_blocking)(Box::new(move || {
        responder.answer(guarded(|| handler(request)));
    }));
}
