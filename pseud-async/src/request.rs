//! A request on its way through a handler to its answer.

use crate::caller::Caller;
use crate::cancelled::Cancelled;
use crate::handler::{Answer, Answering, Handler};
use crate::hub::{Hub, Inner};
use atomic_waker::AtomicWaker;
use pseud_proto::pseud::Endpoint;
use pseud_proto::value::{Arguments, BadArguments};
use pseud_proto::{Fault, Opened, PeerId, Refusal, RequestId, Ticket, User};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, MapAccess, Visitor};
use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

/// What a handler is given: the caller's arguments, checked, and a way back to the caller.
pub struct Request {
    id: RequestId,
    caller: Caller,
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

    /// The positional arguments of a handler that takes no others.
    pub(crate) fn only_args<T: DeserializeOwned>(&self) -> Result<T, BadArguments> {
        self.kwargs::<NoKeywords>()?;
        self.args()
    }

    /// The arguments as dynamic values, and as they are on the wire.
    pub fn arguments(&self) -> &Arguments {
        &self.arguments
    }

    /// Tells when nobody waits for the answer any more: to stop work that would be for nothing.
    pub fn cancelled(&self) -> Cancelled {
        Cancelled::new(self.caller.hub.clone(), self.id)
    }

    /// Whose request it is: see [`Caller::user`].
    pub fn user(&self) -> &User {
        self.caller.user()
    }

    /// Whoever called: who it is, and the way to call it back on the connection that it opened.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("name", &self.name).field("caller", &self.caller).finish()
    }
}

/// Keyword arguments of a handler that takes none: a struct without fields.
struct NoKeywords;

impl<'de> Deserialize<'de> for NoKeywords {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_struct("NoKeywords", &[], Self)
    }
}

impl<'de> Visitor<'de> for NoKeywords {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no keyword arguments")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(self)
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
    fn new(hub: &Arc<Hub>, ticket: Ticket) -> Self {
        hub.running.fetch_add(1, Ordering::Relaxed);
        Self { hub: hub.clone(), ticket: Some(ticket) }
    }

    fn answer(mut self, answer: Answer) {
        self.end(|endpoint, ticket, now| endpoint.reply(ticket, answer, now));
    }

    fn end(&mut self, end: impl FnOnce(&mut Endpoint, Ticket, Instant)) {
        let Some(ticket) = self.ticket.take() else { return };
        let (waiting, effects) = self.hub.with(|inner, now| {
            let waiting = inner.not_cancelled(&ticket);
            end(&mut inner.endpoint, ticket, now);
            waiting
        });
        effects.run(&self.hub, None);
        waiting.iter().for_each(|waker| waker.wake());
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.hub.running.fetch_sub(1, Ordering::Relaxed);
        self.end(|endpoint, ticket, now| endpoint.abandon(ticket, now));
    }
}

impl Inner {
    /// A request is about to be answered: who waits to hear that nobody waits for that any more.
    fn not_cancelled(&mut self, ticket: &Ticket) -> Vec<Arc<AtomicWaker>> {
        let waiting = self.cancelling.remove(&ticket.request());
        waiting.map(|mut crowd| crowd.leave()).unwrap_or_default()
    }
}

/// Bytes of answers that are gathered before they are handed on: about what one write takes.
const PORTION_BYTES: usize = 128 << 10;

/// Serves requests that arrived together: what is ready at once is answered together (large answers
/// in portions, so that they do not pile up before the first is written), the rest is spawned. Returns whether the link in whose task this runs has something to flush.
pub(crate) fn serve_all(
    hub: &Arc<Hub>,
    requests: Vec<pseud_proto::Request>,
    here: Option<PeerId>,
) -> bool {
    if requests.is_empty() {
        return false;
    }
    let (mut ready, mut bytes) = (Vec::new(), 0);
    for request in requests {
        let Some((ticket, served)) = serve(hub, request) else { continue };
        bytes += size(&served);
        ready.push((ticket, served));
        if bytes >= PORTION_BYTES {
            deliver(hub, std::mem::take(&mut ready), None);
            let link = here.and_then(|peer| hub.lock().link(peer).cloned());
            link.inspect(|link| link.flush_now(hub));
            bytes = 0;
        }
    }
    deliver(hub, ready, here)
}

/// What came of a request at once: its handler's answer, or why none was run.
type Served = Result<Answer, Refusal>;

fn size(served: &Served) -> usize {
    match served {
        Ok(Ok(packed)) => packed.as_bytes().len(),
        Ok(Err(_)) | Err(_) => 0,
    }
}

fn deliver(hub: &Arc<Hub>, ready: Vec<(Ticket, Served)>, here: Option<PeerId>) -> bool {
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
    let flush_here = effects.run(hub, here);
    waiting.iter().for_each(|waker| waker.wake());
    flush_here
}

/// Starts one request; returns what came of it if that is known at once.
fn serve(hub: &Arc<Hub>, request: pseud_proto::Request) -> Option<(Ticket, Served)> {
    let id = request.id();
    let (peer, info) = (request.peer(), request.caller().clone());
    let name: Box<str> = request.name().into();
    // The endpoint counts requests whose callers are there; a caller that leaves frees its room there,
    // but not what its handlers still hold.
    let max = hub.config.limits.requests_open_max;
    if hub.running.load(Ordering::Relaxed) >= max {
        let refusal = Refusal::Overloaded { max, what: "handlers run" };
        return Some((request.into_ticket(), Err(refusal)));
    }
    // Whose request it is stands behind the arguments: so they are checked before a handler is chosen.
    let Opened { ticket, arguments, provenance, .. } = match request.open(&hub.value_limits) {
        Ok(opened) => opened,
        Err((ticket, refusal)) => return Some((ticket, Err(refusal))),
    };
    let handler = match find(hub, &name) {
        Some(handler) => handler,
        None => return Some((ticket, Err(Refusal::NoSuchService(name)))),
    };
    let caller = Caller { hub: hub.clone(), peer, info, provenance };
    let request = Request { id, caller, name, arguments };
    match handler {
        Handler::Inline(handler) => Some((ticket, Ok(guarded(|| handler(request))))),
        Handler::Async(handler) => poll_once(hub, ticket, guarded_future(|| handler(request))),
        Handler::Blocking(handler) => {
            let responder = Responder::new(hub, ticket);
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
) -> Option<(Ticket, Served)> {
    let mut answering = match answering {
        Ok(answering) => Guarded(answering),
        Err(fault) => return Some((ticket, Ok(Err(fault)))),
    };
    let mut cx = Context::from_waker(Waker::noop());
    if let Poll::Ready(answer) = Pin::new(&mut answering).poll(&mut cx) {
        return Some((ticket, Ok(answer)));
    }
    let responder = Responder::new(hub, ticket);
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
