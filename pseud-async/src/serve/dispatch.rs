//! From a request that arrived to a handler that runs, and its answer.

use super::caller::Caller;
use super::cancelled::Cancelled;
use super::handler::{Handler, HandlerResult, Plain};
use super::handler_panics::{CaughtAnswer, Whose, answered, catch, catch_future};
use super::on_disconnect::{OnDisconnect, while_wanted};
use super::registry::service_table::Served;
use super::request::Request;
use super::resolve::Resolving;
use super::responder::Responder;
use crate::engine::blocking_jobs::JobOwner;
use crate::engine::effects::ArrivedRequests;
use crate::engine::hub::Hub;
use pseud_proto::{Limits, Opened, PeerId, Refusal, RequestId, Ticket};
use smol_str::SmolStr;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

/// Bytes of answers that are gathered before they are handed on: about what one write takes.
const PORTION_BYTES: usize = 128 << 10;

/// What serves the requests of a node.
#[derive(Debug)]
pub(crate) struct Dispatcher {
    pub(crate) hub: Arc<Hub>,
    pub(crate) served: Arc<Served>,
    pub(crate) on_disconnect: OnDisconnect,
}

impl Dispatcher {
    /// Serves requests that arrived together: what is ready at once is answered together (large answers
    /// in portions, so that they do not pile up before the first is written), the rest is spawned.
    /// Returns whether the link in whose task this runs has something to flush.
    pub(crate) fn serve_all(&self, arrived: ArrivedRequests, own_link: Option<PeerId>) -> bool {
        let ArrivedRequests { requests, closings, .. } = arrived;
        if requests.is_empty() {
            return false;
        }
        let hub = &self.hub;
        let (mut ready, mut bytes) = (Vec::new(), 0);
        for request in requests {
            let served = match is_over(hub, closings, request.id()) {
                false => self.serve(request),
                // Its session is over: an answer would reach nobody, and the ticket is only given back.
                true => Some((request.into_ticket(), Err(Refusal::Draining))),
            };
            let Some((ticket, served)) = served else { continue };
            bytes += size(&served);
            ready.push((ticket, served));
            if bytes >= PORTION_BYTES {
                deliver(hub, std::mem::take(&mut ready), None);
                let link = own_link.and_then(|peer| hub.lock().link(peer).cloned());
                link.inspect(|link| link.flush_now());
                bytes = 0;
            }
        }
        deliver(hub, ready, own_link)
    }

    /// Starts one request; returns what came of it if that is known at once.
    fn serve(&self, request: pseud_proto::Request) -> Option<(Ticket, DispatchResult)> {
        if let Err(refusal) = self.hub.running.check(request.size(), &self.hub.config.limits) {
            return Some((request.into_ticket(), Err(refusal)));
        }
        let (ticket, size, request) = match open(&self.hub, request) {
            Ok(opened) => opened,
            Err((ticket, refusal)) => return Some((ticket, Err(refusal))),
        };
        let mut resolving = Resolving::new(self.served.candidates(request.name()));
        let mut cx = Context::from_waker(Waker::noop());
        match resolving.poll(&request, &self.served, &mut cx) {
            Poll::Ready(Some(handler)) => self.start(ticket, size, Started::new(request, handler)),
            Poll::Ready(None) => Some((ticket, Err(unserved(request)))),
            Poll::Pending => {
                let responder = Responder::new(&self.hub, ticket, size);
                let (served, on_disconnect) = (self.served.clone(), self.on_disconnect);
                let resolved = resolved(responder, resolving, request, served, on_disconnect);
                self.hub.runtime.spawn(Box::pin(resolved));
                None
            }
        }
    }

    /// Polls a handler where its request arrived; only one that has to wait costs a task.
    fn start(
        &self,
        ticket: Ticket,
        size: usize,
        started: Started,
    ) -> Option<(Ticket, DispatchResult)> {
        let hub = &self.hub;
        match started {
            Started::Answered(answer) => return Some((ticket, Ok(answer))),
            Started::Answering(mut answering) => {
                let mut cx = Context::from_waker(Waker::noop());
                if let Poll::Ready(answer) = Pin::new(&mut answering).poll(&mut cx) {
                    return Some((ticket, Ok(answered(answer))));
                }
                let gone = Cancelled::new(hub.clone(), ticket.request());
                let responder = Responder::new(hub, ticket, size);
                hub.runtime.spawn(Box::pin(waited_for(
                    responder,
                    gone,
                    answering,
                    self.on_disconnect,
                )));
            }
            Started::Blocking(handler, request) => {
                block(Responder::new(hub, ticket, size), handler, request);
            }
        }
        None
    }
}

/// Whether a request's session has ended since it came: whoever was revoked has no handler begun.
/// Looked up only where some session was, as that takes the lock.
fn is_over(hub: &Hub, closings: usize, request: RequestId) -> bool {
    hub.closings.load(Ordering::Acquire) != closings && !hub.lock().endpoint.is_open(request)
}

/// What came of a request: its handler's answer, or why none was run.
type DispatchResult = Result<HandlerResult, Refusal>;

fn size(served: &DispatchResult) -> usize {
    match served {
        Ok(Ok(packed)) => packed.as_bytes().len(),
        Ok(Err(_)) | Err(_) => 0,
    }
}

fn deliver(hub: &Arc<Hub>, ready: Vec<(Ticket, DispatchResult)>, own_link: Option<PeerId>) -> bool {
    let (waiting, effects) = hub.with(|inner, now| {
        let mut waiting = Vec::new();
        for (ticket, served) in ready {
            waiting.append(&mut inner.not_cancelled(&ticket));
            match served {
                Ok(answer) => inner.endpoint.reply(ticket, answer, now),
                Err(refusal) => inner.endpoint.refuse(ticket, &refusal, now),
            }
        }
        waiting
    });
    let flush_here = hub.perform(effects, own_link);
    waiting.iter().for_each(|waker| waker.wake());
    flush_here
}

/// Whose request it is, which predicates check, stands behind the arguments: so these are checked
/// before a handler is looked for, and alike for every name. Between the two: what it may take in
/// bytes once its arguments are decoded.
fn open(
    hub: &Arc<Hub>,
    request: pseud_proto::Request,
) -> Result<(Ticket, usize, Request), (Ticket, Refusal)> {
    let (id, name) = (request.id(), SmolStr::new(request.name()));
    let (peer, info) = (request.peer(), request.caller().clone());
    let size = request.size();
    let opened = request.open(&hub.config.limits.values)?;
    let size = charge(hub, &opened, size);
    let Opened { ticket, arguments, provenance, .. } = opened;
    hub.learn(peer, arguments.packed());
    let size = match size {
        Ok(size) => size,
        Err(refusal) => return Err((ticket, refusal)),
    };
    let caller = Caller::of_session(hub.clone(), peer, info, provenance);
    Ok((ticket, size, Request { id: Some(id), caller, name, arguments }))
}

/// What a request of that many bytes takes once it is decoded. Those that stay small count by their
/// number alone, so that they need no lock here.
fn charge(hub: &Hub, opened: &Opened, size: usize) -> Result<usize, Refusal> {
    let decoded = opened.decoded_bytes();
    let all = size + decoded;
    if all > Limits::REQUEST_BYTES_SMALL {
        hub.running.check(all, &hub.config.limits)?;
        hub.lock().endpoint.charge(&opened.ticket, decoded)?;
    }
    Ok(all)
}

/// The same of a name that nobody serves and of one that this caller may not reach.
fn unserved(request: Request) -> Refusal {
    Refusal::NoSuchService(request.name.as_str().into())
}

/// What has become of a request whose handler is known.
pub(crate) enum Started {
    Answered(HandlerResult),
    Answering(CaughtAnswer),
    /// It is to run on a thread that may block.
    Blocking(Plain, Request),
}

impl Started {
    /// A handler that was unregistered meanwhile goes here: its drop is a user's, too, and is caught.
    pub(crate) fn new(request: Request, handler: Handler) -> Self {
        let whose = Whose::of(&request);
        match handler {
            Handler::Inline(handler) => Self::Answered(catch(&whose, move || handler(request))),
            Handler::Async(handler) => match catch_future(whose, move || handler(request)) {
                Ok(answering) => Self::Answering(answering),
                Err(fault) => Self::Answered(Err(fault)),
            },
            Handler::Blocking(handler) => Self::Blocking(handler, request),
        }
    }
}

/// The rest of a request's way, where a predicate had to wait. Whoever is gone meanwhile is not served.
async fn resolved(
    responder: Responder,
    mut resolving: Resolving,
    request: Request,
    served: Arc<Served>,
    on_disconnect: OnDisconnect,
) {
    let mut gone = request.cancelled();
    match while_wanted(&mut gone, |cx| resolving.poll(&request, &served, cx)).await {
        None => {}
        Some(None) => responder.refuse(&unserved(request)),
        Some(Some(handler)) => match Started::new(request, handler) {
            Started::Answered(answer) => responder.answer(answer),
            Started::Answering(answering) => {
                waited_for(responder, gone, answering, on_disconnect).await;
            }
            Started::Blocking(handler, request) => block(responder, handler, request),
        },
    }
}

/// The rest of a handler's way that has to wait.
async fn waited_for(
    responder: Responder,
    mut gone: Cancelled,
    mut answering: CaughtAnswer,
    on_disconnect: OnDisconnect,
) {
    let answer = match on_disconnect {
        OnDisconnect::Cancel => {
            while_wanted(&mut gone, |cx| Pin::new(&mut answering).poll(cx)).await
        }
        OnDisconnect::Detach => Some((&mut answering).await),
    };
    // The handler's future counts as running until its destructors have run.
    drop(answering);
    if let Some(answer) = answer {
        responder.answer(answered(answer));
    }
}

/// It may wait for a thread: whoever is gone meanwhile is not served, and leaves the queue.
fn block(responder: Responder, handler: Plain, request: Request) {
    let caller = request.caller();
    let (hub, owner) = (caller.hub.clone(), JobOwner::Session(caller.peer));
    let job = move || {
        if !request.cancelled().is_cancelled() {
            let whose = Whose::of(&request);
            responder.answer(catch(&whose, move || handler(request)));
        }
    };
    hub.blocking.run(owner, Box::new(job));
}
