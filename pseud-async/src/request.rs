//! A request on its way through a handler to its answer.

use crate::cancelled::Cancelled;
use crate::effects::Effects;
use crate::handler::{Answer, Answering, Handler};
use crate::hub::Hub;
use crate::node::Peer;
use bytes::Bytes;
use pseud_proto::value::{Arguments, BadArguments};
use pseud_proto::{Fault, PeerId, RequestId, Ticket, To};
use serde::Deserialize;
use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};

/// What a handler is given: the caller's arguments, checked, and a way back to the caller.
pub struct Request {
    hub: Arc<Hub>,
    id: RequestId,
    peer: PeerId,
    name: Box<str>,
    arguments: Arguments,
}

impl Request {
    /// The dotted name that was called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The positional arguments as a tuple: `let (name, count): (String, u32) = request.args()?`.
    /// `&str` and bytes may be borrowed from the request.
    ///
    /// # Errors
    /// Too few, too many, or of other types: becomes the `TypeError` that the caller is told.
    pub fn args<'a, T: Deserialize<'a>>(&'a self) -> Result<T, BadArguments> {
        self.arguments.args()
    }

    /// The keyword arguments, as a struct or a map.
    ///
    /// # Errors
    /// As for [`args`](Self::args).
    pub fn kwargs<'a, T: Deserialize<'a>>(&'a self) -> Result<T, BadArguments> {
        self.arguments.kwargs()
    }

    /// The arguments as dynamic values, and as they are on the wire.
    pub fn arguments(&self) -> &Arguments {
        &self.arguments
    }

    /// Tells when nobody waits for the answer any more: to stop work that would be for nothing.
    pub fn cancelled(&self) -> Cancelled {
        Cancelled::new(self.hub.clone(), self.id)
    }

    /// Who authentication says the caller is. Empty where there is none, or once it has left.
    pub fn user(&self) -> Bytes {
        let inner = self.hub.lock();
        inner.endpoint.peer_info(self.peer).map_or_else(Bytes::new, |info| info.user.clone())
    }

    /// Whoever called: call it back on the connection that it opened.
    pub fn caller(&self) -> Peer {
        Peer::new(self.hub.clone(), To::Peer(self.peer))
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("name", &self.name).field("peer", &self.peer).finish()
    }
}

/// The duty to answer one request, once. Dropped without an answer (its task was killed), it tells
/// the caller so.
#[derive(Debug)]
struct Responder {
    hub: Arc<Hub>,
    ticket: Option<Ticket>,
}

impl Responder {
    fn answer(mut self, answer: Answer) {
        if let Some(ticket) = self.ticket.take() {
            let ((), effects) =
                self.hub.with(|inner, now| inner.endpoint.reply(ticket, answer, now));
            effects.run(&self.hub, None);
        }
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            let (_wakers, effects) = self.hub.with(|inner, now| {
                let wakers = inner.cancelling.remove(&ticket.request());
                inner.endpoint.abandon(ticket, now);
                wakers
            });
            effects.run(&self.hub, None);
        }
    }
}

/// Serves requests that arrived together: what is ready at once is answered together, the rest is
/// spawned. Returns whether the link in whose task this runs has something to flush.
pub(crate) fn serve_all(
    hub: &Arc<Hub>,
    requests: Vec<pseud_proto::Request>,
    here: Option<PeerId>,
) -> bool {
    if requests.is_empty() {
        return false;
    }
    let ready: Vec<(Ticket, Answer)> =
        requests.into_iter().filter_map(|request| serve(hub, request)).collect();
    let (_wakers, effects): (Vec<_>, Effects) = hub.with(|inner, now| {
        let forget = |(ticket, answer): (Ticket, Answer)| {
            let wakers = inner.cancelling.remove(&ticket.request());
            inner.endpoint.reply(ticket, answer, now);
            wakers
        };
        ready.into_iter().filter_map(forget).collect()
    });
    effects.run(hub, here)
}

/// Starts one request; returns its answer if that is ready at once.
fn serve(hub: &Arc<Hub>, request: pseud_proto::Request) -> Option<(Ticket, Answer)> {
    let (id, peer) = (request.id(), request.peer());
    let found = find(hub, request.name());
    let name: Box<str> = request.name().into();
    let (ticket, rest) = request.into_parts();
    let handler = match found {
        Some(handler) => handler,
        None => return Some((ticket, Err(Fault::new("ServiceNotFoundError", name)))),
    };
    let arguments = match rest.check_call(&hub.value_limits) {
        Ok(arguments) => arguments,
        Err(bad) => return Some((ticket, Err(Fault::new("TypeError", bad.to_string())))),
    };
    let request = Request { hub: hub.clone(), id, peer, name, arguments };
    match handler {
        Handler::Inline(handler) => Some((ticket, guarded(|| handler(request)))),
        Handler::Async(handler) => poll_once(hub, ticket, guarded_future(|| handler(request))),
        Handler::Blocking(handler) => {
            let responder = Responder { hub: hub.clone(), ticket: Some(ticket) };
            (hub.runtime.spawn_blocking)(Box::new(move || {
                responder.answer(guarded(|| handler(request)));
            }));
            None
        }
    }
}

fn find(hub: &Hub, name: &str) -> Option<Handler> {
    hub.registry.read().unwrap_or_else(PoisonError::into_inner).find(name).cloned()
}

/// Polls a handler where its request arrived; only one that has to wait costs a task.
fn poll_once(
    hub: &Arc<Hub>,
    ticket: Ticket,
    answering: Result<Answering, Fault>,
) -> Option<(Ticket, Answer)> {
    let mut answering = match answering {
        Ok(answering) => Guarded(answering),
        Err(fault) => return Some((ticket, Err(fault))),
    };
    let mut cx = Context::from_waker(Waker::noop());
    if let Poll::Ready(answer) = Pin::new(&mut answering).poll(&mut cx) {
        return Some((ticket, answer));
    }
    let responder = Responder { hub: hub.clone(), ticket: Some(ticket) };
    (hub.runtime.spawn)(Box::pin(async move { responder.answer(answering.await) }));
    None
}

/// A handler whose panic is a fault of its own call and of nothing else.
struct Guarded(Answering);

impl Future for Guarded {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        match catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(cx))) {
            Ok(poll) => poll,
            Err(panic) => Poll::Ready(Err(panicked(&*panic))),
        }
    }
}

fn guarded(run: impl FnOnce() -> Answer) -> Answer {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| Err(panicked(&*panic)))
}

fn guarded_future(run: impl FnOnce() -> Answering) -> Result<Answering, Fault> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| panicked(&*panic))
}

/// The panic's text stays in our log: it is ours to read, not the peer's.
fn panicked(panic: &(dyn Any + Send)) -> Fault {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = text.unwrap_or("?"), "a handler panicked");
    Fault::new("Internal", "the handler panicked")
}
