//! Resolving: the handler among the candidates that the caller may reach.

use super::handler::Handler;
use super::handler_panics::{Whose, accepted, accepting, dropped};
use super::predicate::{Predicate, PredicateFuture};
use super::registry::service_table::Served;
use super::registry::table::{Candidate, Candidates};
use super::request::Request;
use smallvec::{IntoIter, SmallVec};
use std::task::{Context, Poll, ready};

/// Asks the predicates of a name's candidates, one after the other, until one accepts. It may be moved
/// to another task wherever it has to wait.
pub(crate) struct Resolving {
    candidates: IntoIter<[Candidate; 2]>,
    asked: Option<PendingPredicate>,
}

/// A predicate that has to wait, whose domain has that handler.
struct PendingPredicate {
    judging: PredicateFuture,
    handler: Handler,
    whose: Whose,
}

impl Resolving {
    pub(crate) fn new(candidates: Candidates) -> Self {
        Self { candidates: candidates.into_iter(), asked: None }
    }

    /// The first handler whose domain takes the caller of that request; `None` if there is none. `served`
    /// is told of domains that have no predicate.
    pub(crate) fn poll(
        &mut self,
        request: &Request,
        served: &Served,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Handler>> {
        loop {
            if let Some(handler) = ready!(self.poll_asked(cx)) {
                return Poll::Ready(Some(handler));
            }
            let Some(candidate) = self.candidates.next() else { return Poll::Ready(None) };
            if let Some(handler) = self.ask(candidate, request, served) {
                return Poll::Ready(Some(handler));
            }
        }
    }

    /// The handler whose predicate was asked, if that has accepted; `None` if it has not, or none was
    /// asked.
    fn poll_asked(&mut self, cx: &mut Context<'_>) -> Poll<Option<Handler>> {
        let Some(PendingPredicate { judging, whose, .. }) = &mut self.asked else {
            return Poll::Ready(None);
        };
        let polled = accepting(|| whose.clone(), || judging.as_mut().poll(cx));
        let accepts = ready!(polled.unwrap_or(Poll::Ready(false)));
        let handler = self.forget_asked();
        if !accepts {
            dropped(handler);
            return Poll::Ready(None);
        }
        Poll::Ready(handler)
    }

    /// Drops what the predicate that was asked left behind, which may panic as well; whose it was.
    fn forget_asked(&mut self) -> Option<Handler> {
        let PendingPredicate { judging, handler, whose } = self.asked.take()?;
        accepting(|| whose, move || drop(judging));
        Some(handler)
    }

    /// Asks whether a candidate's domain takes the caller; its handler if it says so at once.
    fn ask(&mut self, candidate: Candidate, request: &Request, served: &Served) -> Option<Handler> {
        let Candidate { predicate, handler } = candidate;
        let (caller, whose) = (request.caller(), || Whose::of(request));
        let accepts = match predicate {
            Predicate::Open => true,
            Predicate::Permission(permission) => caller.user().has_permission(permission),
            Predicate::Sync(predicate) => accepted(whose, move || predicate(caller)),
            Predicate::Async(predicate) => {
                match accepting(whose, move || predicate(caller.clone())) {
                    Some(judging) => {
                        self.asked = Some(PendingPredicate { judging, handler, whose: whose() })
                    }
                    None => dropped(handler),
                }
                return None;
            }
            Predicate::Missing(domain) => {
                served.log_missing(&domain);
                false
            }
        };
        if !accepts {
            dropped(handler);
            return None;
        }
        Some(handler)
    }
}

/// It may be dropped while a predicate waits, as its caller has left, and before all were asked.
impl Drop for Resolving {
    fn drop(&mut self) {
        if let Some(handler) = self.forget_asked() {
            dropped(handler);
        }
        if !self.candidates.as_slice().is_empty() {
            dropped(std::mem::replace(&mut self.candidates, SmallVec::new().into_iter()));
        }
    }
}
