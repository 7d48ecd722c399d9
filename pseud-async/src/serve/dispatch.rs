//! From a request that arrived to a handler that runs, and its answer.

use super::busy::CalledMethods;
use super::caller::Caller;
use super::cancelled::Cancelled;
use super::handler::{Handler, HandlerResult, Plain};
use super::handler_panics::{CaughtAnswer, Whose, answered, catch, catch_future, dropped};
use super::on_disconnect::{OnDisconnect, while_wanted};
use super::registry::service_table::Served;
use super::registry::table::Snapshot;
use super::request::{Asked, Request};
use super::resolve::Resolving;
use super::responder::Responder;
use crate::engine::blocking_jobs::JobOwner;
use crate::engine::effects::{ArrivedRequests, Effects, REQUESTS};
use crate::engine::hub::Hub;
use crate::engine::noted::Noted;
use crate::engine::seat::Seat;
use crate::engine::spare::{Spare, SpareKey};
use pseud_proto::session::{Arrived, IncomingWork, OpenedWork, Reply, Session, ShareOwner};
use pseud_proto::{Limits, Refusal};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

/// Bytes of answers that are gathered before they are handed on: about what one write takes.
const PORTION_BYTES: usize = 128 << 10;

thread_local! {
    /// Answers that were given at once, until all of a portion are.
    static READY: Spare<(Arrived, DispatchResult)> = const { Spare::new() };
}

/// What came of requests that arrived together.
#[derive(Debug, Default)]
#[must_use = "callers wait for the answers in it"]
pub(crate) struct ServedRequests {
    /// Answers that are yet to be handed on.
    pub(crate) answers: Answers,
    /// What they call.
    pub(crate) names: CalledMethods,
    /// When the last of their handlers had answered, or had to wait, and was dropped where it was unregistered.
    pub(crate) at: Option<Instant>,
}

/// Answers that were given at once. Who drops them leaves their requests open.
#[derive(Debug, Default)]
pub(crate) struct Answers(Vec<(Arrived, DispatchResult)>);

impl Answers {
    fn some() -> Self {
        Self(READY.take())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Hands them to their session, under its lock.
    pub(crate) fn put(mut self, session: &mut Session, noted: &mut Noted<'_>, now: Instant) {
        self.put_all(session, noted, now);
        READY.keep(self.0);
    }

    fn put_all(&mut self, session: &mut Session, noted: &mut Noted<'_>, now: Instant) {
        self.0.iter().for_each(|(arrived, _)| noted.not_cancelled(arrived.request()));
        let replies = self.0.drain(..).map(|(arrived, served)| match served {
            Ok(answer) => (arrived, Reply::Handled(answer)),
            Err(refusal) => (arrived, Reply::Refused(refusal)),
        });
        session.answer_all(replies, now, noted);
    }

    /// The same in a visit of their own. Says whether the link, in whose task this is, has something to flush.
    pub(crate) fn deliver(mut self, seat: &Seat, now: Instant) -> bool {
        let wants_flush = self.deliver_all(seat, now);
        READY.keep(self.0);
        wants_flush
    }

    fn deliver_all(&mut self, seat: &Seat, now: Instant) -> bool {
        if self.is_empty() {
            return false;
        }
        let mut effects = Effects::default();
        seat.visit_into(&mut effects, |session, noted| self.put_all(session, noted, now));
        seat.perform(&mut effects, true)
    }
}

/// What serves the requests of a node.
#[derive(Debug)]
pub(crate) struct Dispatcher {
    pub(crate) hub: Arc<Hub>,
    pub(crate) served: Arc<Served>,
    pub(crate) on_disconnect: OnDisconnect,
}

impl Dispatcher {
    /// Serves requests that arrived together: what is ready at once is answered together (of large answers
    /// all but the last portion is handed on here, so that they do not pile up before the first is written),
    /// the rest is spawned.
    pub(crate) fn serve_all(&self, arrived: ArrivedRequests, seat: &Arc<Seat>) -> ServedRequests {
        let ArrivedRequests { mut requests, .. } = arrived;
        let mut all = ServedRequests::default();
        if requests.is_empty() {
            return all;
        }
        let mut bytes = 0;
        all.answers = Answers::some();
        let mut snapshot = self.served.snapshot();
        for (arrived, work) in requests.drain(..) {
            // A handler before it may have changed what is served, and to whom.
            self.served.refresh(&mut snapshot, dropped);
            // Whoever has left, or was revoked, has no handler begun.
            let served = match seat.is_over() {
                false => self.serve(seat, arrived, work, &snapshot, &mut all.names),
                // It reaches nobody: its place is only given back.
                true => Some((arrived, Err(Refusal::Draining))),
            };
            let Some((arrived, served)) = served else { continue };
            bytes += size(&served);
            all.answers.0.push((arrived, served));
            if bytes >= PORTION_BYTES {
                if all.answers.deliver_all(seat, seat.hub.now()) {
                    seat.flush_now();
                }
                bytes = 0;
            }
        }
        dropped(snapshot);
        REQUESTS.keep(requests);
        // Last: what a user drops may take longer than a caller waits.
        all.at = Some(seat.hub.now());
        all
    }

    /// Requests whose session has ended before their turn: nobody is told, and their places are free.
    pub(crate) fn give_back(&self, arrived: ArrivedRequests, seat: &Arc<Seat>) {
        let unserved = |(arrived, _)| (arrived, Err(Refusal::Draining));
        let unserved = Answers(arrived.requests.into_iter().map(unserved).collect());
        unserved.deliver(seat, seat.hub.now());
    }

    /// Starts one request; returns what came of it if that is known at once.
    fn serve(
        &self,
        seat: &Arc<Seat>,
        mut arrived: Arrived,
        work: IncomingWork,
        snapshot: &Snapshot,
        names: &mut CalledMethods,
    ) -> Option<(Arrived, DispatchResult)> {
        let request = match open(seat, &mut arrived, work) {
            Ok(request) => request,
            Err(refusal) => return Some((arrived, Err(refusal))),
        };
        names.add(&request.name);
        if let Some(handler) = self.served.open(snapshot, &request.name) {
            return self.start(seat, arrived, Started::new(request, handler));
        }
        let mut resolving = Resolving::new(self.served.candidates(snapshot, &request.name));
        let mut cx = Context::from_waker(Waker::noop());
        match resolving.poll(&request, &self.served, &mut cx) {
            Poll::Ready(Some(handler)) => match Started::of(request, handler) {
                Some(started) => self.start(seat, arrived, started),
                None => Some((arrived, Err(Refusal::Draining))),
            },
            Poll::Ready(None) => Some((arrived, Err(unserved(request)))),
            Poll::Pending => {
                let responder = Responder::new(seat, arrived);
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
        seat: &Arc<Seat>,
        arrived: Arrived,
        started: Started,
    ) -> Option<(Arrived, DispatchResult)> {
        let hub = &self.hub;
        match started {
            Started::Answered(answer) => return Some((arrived, Ok(answer))),
            Started::Answering(mut answering) => {
                let mut cx = Context::from_waker(Waker::noop());
                if let Poll::Ready(answer) = Pin::new(&mut answering).poll(&mut cx) {
                    return Some((arrived, Ok(answered(answer))));
                }
                let gone = Cancelled::new(seat.clone(), arrived.request());
                let responder = Responder::new(seat, arrived);
                hub.runtime.spawn(Box::pin(waited_for(
                    responder,
                    gone,
                    answering,
                    self.on_disconnect,
                )));
            }
            Started::Blocking(handler, request) => {
                block(Responder::new(seat, arrived), handler, request);
            }
        }
        None
    }
}

/// What came of a request: its handler's answer, or why none was run.
type DispatchResult = Result<HandlerResult, Refusal>;

fn size(served: &DispatchResult) -> usize {
    match served {
        Ok(Ok(packed)) => packed.as_bytes().len(),
        Ok(Err(_)) | Err(_) => 0,
    }
}

/// Whose request it is, which predicates check, stands behind the arguments: so these are checked
/// before a handler is looked for, and alike for every name. Between the two: what it may take in
/// bytes once its arguments are decoded.
fn open(seat: &Arc<Seat>, arrived: &mut Arrived, work: IncomingWork) -> Result<Request, Refusal> {
    let size = work.size();
    let opened = work.open(&seat.hub.config.limits.values)?;
    let charged = charge(seat, arrived, size, opened.decoded_bytes());
    let OpenedWork { name, arguments, provenance, caller, .. } = opened;
    seat.learn(arguments.packed());
    charged?;
    let caller = Caller::of_session(seat.clone(), caller, provenance);
    Ok(Request { asked: Asked::Session(arrived.request()), caller, name, arguments })
}

/// What a request of that many bytes takes once it is decoded. Those that stay small count by their
/// number alone, so that they need no lock here.
fn charge(seat: &Seat, arrived: &mut Arrived, size: usize, decoded: usize) -> Result<(), Refusal> {
    if size + decoded > Limits::REQUEST_BYTES_SMALL {
        // A call that waits for room may be sent by this visit as by any other.
        seat.act(|session, _| session.charge_arrived(arrived, decoded))?;
    }
    Ok(())
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
    /// Begins what `handler` does.
    pub(crate) fn new(request: Request, handler: &Handler) -> Self {
        let whose = Whose::of(&request);
        match handler {
            Handler::Inline(handler) => Self::Answered(catch(&whose, || handler(request))),
            Handler::Async(handler) => match catch_future(whose, || handler(request)) {
                Ok(answering) => Self::Answering(answering),
                Err(fault) => Self::Answered(Err(fault)),
            },
            Handler::Blocking(handler) => Self::Blocking(handler.clone(), request),
        }
    }

    /// The same once predicates have accepted the caller; `None` where that has left while they were asked. The
    /// handler may have been unregistered meanwhile, and goes here: its drop is a user's, too, and is caught.
    pub(crate) fn of(request: Request, handler: Handler) -> Option<Self> {
        let started = (!request.is_unwanted()).then(|| Self::new(request, &handler));
        dropped(handler);
        started
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
        Some(None) => responder.refuse(unserved(request)),
        Some(Some(handler)) => match Started::of(request, handler) {
            None => {}
            Some(Started::Answered(answer)) => responder.answer(answer),
            Some(Started::Answering(answering)) => {
                waited_for(responder, gone, answering, on_disconnect).await;
            }
            Some(Started::Blocking(handler, request)) => block(responder, handler, request),
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
    // While it is dropped it still counts as one that runs.
    drop(answering);
    if let Some(answer) = answer {
        responder.answer(answered(answer));
    }
}

/// It may wait for a thread: whoever is gone meanwhile is not served, and leaves the queue.
fn block(responder: Responder, handler: Plain, request: Request) {
    let (seat, share) = (request.caller().seat.clone(), ShareOwner::of(&request.caller().info));
    let job = move || {
        if !request.cancelled().is_cancelled() {
            let whose = Whose::of(&request);
            responder.answer(catch(&whose, move || handler(request)));
        }
    };
    seat.hub.blocking.run(JobOwner::Session(seat.peer), share, Box::new(job));
}

#[cfg(test)]
mod tests;
