//! The gate: who is asked whether a stranger may come in, and what an answer does to its link.

use super::authenticator::{BlockingJudge, Judge, Source};
use super::permit::Permit;
use super::places::Doors;
use crate::engine::any_link::AnyLink;
use crate::engine::handshakes::Handshakes;
use crate::engine::hub::Hub;
use crate::engine::refusals::line::Unavailable;
use crate::panics::{CatchUnwind, OnPanic, caught};
use bytes::Bytes;
use pseud_proto::zmtp::{Question, Verdict};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

#[cfg(test)]
mod tests;

/// Asks about the stranger behind that link. `Some`: answered at once; else the link is told later.
pub(crate) fn ask(
    hub: &Arc<Hub>,
    doors: &Doors,
    link: &Arc<dyn AnyLink>,
    question: Question,
    address: &str,
) -> Option<Verdict> {
    let Some(authenticator) = doors.authenticator() else {
        hub.unavailable(Unavailable::Nobody, address);
        return Some(Verdict::Unavailable);
    };
    let name = match &question {
        Question::Plain { username, .. } => Some(username.clone()),
        _ => None,
    };
    if let Some(name) = &name
        && !doors.handshakes.may_ask(name, address, hub.now())
    {
        hub.unavailable(Unavailable::UserWaits, address);
        return Some(Verdict::Unavailable);
    }
    // First: a question that is put may be work at once, and elsewhere.
    let Some(permit) = doors.enter() else {
        hub.unavailable(Unavailable::Crowded, address);
        return Some(Verdict::Unavailable);
    };
    let asked = Asked {
        hub: hub.clone(),
        link: link.clone(),
        who: question.to_string(),
        name,
        handshakes: doors.handshakes.clone(),
        source: Source { address: address.to_owned() },
    };
    match authenticator.judge() {
        Judge::Async(judge) => {
            let source = asked.source.clone();
            match caught(|| judge(question, source, permit.clone()), unlogged) {
                Some(judging) => asked.wait(permit, CatchUnwind::new(judging, Unlogged)),
                None => Some(asked.told(None)),
            }
        }
        Judge::Blocking(judge) => {
            asked.block(permit, judge.clone(), question);
            None
        }
    }
}

/// Who asks, about whom.
struct Asked {
    hub: Arc<Hub>,
    link: Arc<dyn AnyLink>,
    who: String,
    /// The name whose password is checked.
    name: Option<Bytes>,
    handshakes: Handshakes,
    source: Source,
}

impl Asked {
    /// Polled once where the question arose; only one that has to wait costs a task.
    fn wait(self, permit: Permit, mut judging: Guarded) -> Option<Verdict> {
        let mut cx = Context::from_waker(Waker::noop());
        if let Poll::Ready(judged) = Pin::new(&mut judging).poll(&mut cx) {
            return Some(self.told(judged));
        }
        let hub = self.hub.clone();
        let parked = Parked::new(self, permit);
        hub.runtime.spawn(Box::pin(async move {
            if let Some(judged) = in_time(&parked, judging).await {
                parked.answer(judged);
            }
        }));
        None
    }

    /// Who is gone before a thread was free is not asked about.
    fn block(self, permit: Permit, judge: Arc<BlockingJudge>, question: Question) {
        let (hub, source) = (self.hub.clone(), self.source.clone());
        let parked = Parked::new(self, permit);
        hub.runtime.spawn_blocking(Box::new(move || {
            if !parked.is_over() {
                let judged = caught(move || judge(question, source), unlogged);
                parked.answer(judged);
            }
        }));
    }

    /// The answer to what an authenticator said. The link learns who is not let in: the line that says
    /// that it failed names them, whom somebody may have forgotten to add.
    fn told(&self, judged: Judged) -> Verdict {
        match judged {
            Some(Verdict::Deny) => {
                if let Some(name) = &self.name {
                    self.handshakes.denied(name, self.hub.now());
                }
                self.link.denies(self.who.clone());
                Verdict::Deny
            }
            Some(verdict) => verdict,
            None => {
                self.hub.unavailable(Unavailable::Panicked, &self.source.address);
                Verdict::Unavailable
            }
        }
    }
}

/// What was said. `None` if the link ended and the handshake's time is up: till then the work goes on
/// that the question began, whoever it is for.
async fn in_time(parked: &Parked, mut judging: Guarded) -> Option<Judged> {
    let Some((asked, _)) = &parked.0 else { return None };
    let (at, mut late) = (asked.link.answer_by(), None);
    poll_fn(|cx| {
        if let Poll::Ready(judged) = Pin::new(&mut judging).poll(cx) {
            return Poll::Ready(Some(judged));
        }
        ready!(asked.link.poll_ended(cx));
        let Some(at) = at else { return Poll::Ready(None) };
        let late = late.get_or_insert_with(|| asked.hub.runtime.sleep(at));
        late.as_mut().poll(cx).map(|()| None)
    })
    .await
}

/// The duty to answer one question, once, and its place. Dropped without an answer (its task was
/// killed), nobody could tell.
struct Parked(Option<(Asked, Permit)>);

impl Parked {
    fn new(asked: Asked, permit: Permit) -> Self {
        Self(Some((asked, permit)))
    }

    fn is_over(&self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        self.0.as_ref().is_none_or(|(asked, _)| asked.link.poll_ended(&mut cx).is_ready())
    }

    fn answer(mut self, judged: Judged) {
        self.tell(judged);
    }

    fn tell(&mut self, judged: Judged) {
        let Some((asked, permit)) = self.0.take() else { return };
        // First: who hears the answer may come again at once.
        drop(permit);
        let verdict = asked.told(judged);
        asked.link.answer(verdict);
    }
}

impl Drop for Parked {
    fn drop(&mut self) {
        self.tell(Some(Verdict::Unavailable));
    }
}

/// What an authenticator said; `None` if it panicked.
type Judged = Option<Verdict>;

/// The panic's text is not logged: it may hold what was asked about.
fn unlogged(_: &str) {}

struct Unlogged;

impl OnPanic for Unlogged {
    fn panicked(&self, text: &str) {
        unlogged(text);
    }
}

/// An authenticator's future, whose panic is an answer.
type Guarded = CatchUnwind<Verdict, Unlogged>;
