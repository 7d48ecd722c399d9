//! The admission: who is asked whether a stranger may come in, and what an answer does to its link.

use super::authenticator::{BlockingJudge, Decide, Source};
use super::permit::Permit;
use super::places::Admissions;
use super::revoked::Revoked;
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
    admissions: &Admissions,
    link: &Arc<dyn AnyLink>,
    question: Question,
    address: &str,
) -> Option<Verdict> {
    let Some(authenticator) = admissions.authenticator() else {
        hub.unavailable(Unavailable::Nobody, address);
        return Some(Verdict::Unavailable);
    };
    let name = name_of(&question);
    if let Some(name) = &name
        && !admissions.handshakes.may_ask(name, address, hub.now())
    {
        hub.unavailable(Unavailable::UserWaits, address);
        return Some(Verdict::Unavailable);
    }
    if admissions.revoked.denies(&question) {
        link.denies(question.to_string());
        return Some(Verdict::Deny);
    }
    // The question's place is taken before it is put: an authenticator may begin to work at once, on
    // another thread.
    let permit = match admissions.enter(address) {
        Ok(permit) => permit,
        Err(why) => {
            hub.unavailable(why, address);
            return Some(Verdict::Unavailable);
        }
    };
    let asked = Applicant::new(hub, admissions, link, &question, address);
    match authenticator.check() {
        Decide::Async(check) => {
            let source = asked.source.clone();
            match caught(|| check(question, source, permit.clone()), unlogged) {
                Some(judging) => asked.wait(permit, CatchUnwind::new(judging, Unlogged)),
                None => Some(asked.told(None)),
            }
        }
        Decide::Blocking(check) => {
            asked.block(permit, check.clone(), question);
            None
        }
    }
}

/// The name whose password is to be checked.
fn name_of(question: &Question) -> Option<Bytes> {
    match question {
        Question::Plain { username: name, .. } | Question::Login { login: name, .. } => {
            Some(name.clone())
        }
        _ => None,
    }
}

/// Who asks, about whom.
struct Applicant {
    hub: Arc<Hub>,
    link: Arc<dyn AnyLink>,
    who: String,
    /// The name whose password is checked.
    name: Option<Bytes>,
    handshakes: Handshakes,
    revoked: Arc<Revoked>,
    /// Its link is open: nothing but this asks for an answer in time.
    is_login: bool,
    source: Source,
}

impl Applicant {
    fn new(
        hub: &Arc<Hub>,
        admissions: &Admissions,
        link: &Arc<dyn AnyLink>,
        question: &Question,
        address: &str,
    ) -> Self {
        Self {
            hub: hub.clone(),
            link: link.clone(),
            who: question.to_string(),
            name: name_of(question),
            handshakes: admissions.handshakes.clone(),
            revoked: admissions.revoked.clone(),
            is_login: matches!(question, Question::Login { .. }),
            source: Source { address: address.to_owned() },
        }
    }

    /// Polled once where the question arose; only one that has to wait costs a task.
    fn wait(self, permit: Permit, mut judging: CaughtVerdict) -> Option<Verdict> {
        let mut cx = Context::from_waker(Waker::noop());
        if let Poll::Ready(checked) = Pin::new(&mut judging).poll(&mut cx) {
            return Some(self.told(checked));
        }
        let hub = self.hub.clone();
        let parked = ParkedQuestion::new(self, permit);
        hub.runtime.spawn(Box::pin(async move {
            if let Some(checked) = in_time(&parked, judging).await {
                parked.answer(checked);
            }
        }));
        None
    }

    /// Who is gone before a thread was free is not asked about.
    fn block(self, permit: Permit, check: Arc<BlockingJudge>, question: Question) {
        let (hub, source) = (self.hub.clone(), self.source.clone());
        let parked = ParkedQuestion::new(self, permit);
        hub.runtime.spawn_blocking(Box::new(move || {
            if !parked.is_over() {
                let checked = caught(move || check(question, source), unlogged);
                parked.answer(checked);
            }
        }));
    }

    /// A handshake's end counts by itself.
    fn logged_in(&self, is_right: bool) {
        if self.is_login {
            self.handshakes.logged_in(&self.source.address, is_right, self.hub.now());
        }
    }

    /// The answer to what an authenticator said. The link learns who is not let in: the line that says
    /// that it failed names them, whom somebody may have forgotten to add.
    fn told(&self, checked: Decided) -> Verdict {
        match checked.map(|verdict| self.revoked.judge(verdict)) {
            Some(Verdict::Deny) => {
                if let Some(name) = &self.name {
                    self.handshakes.denied(name, &self.source.address, self.hub.now());
                }
                self.logged_in(false);
                match self.is_login {
                    true => self.hub.login_refused(&self.source.address, &self.who),
                    false => self.link.denies(self.who.clone()),
                }
                Verdict::Deny
            }
            Some(verdict) => {
                if matches!(verdict, Verdict::Admit(_)) {
                    if let Some(name) = &self.name {
                        self.handshakes.admitted(name, &self.source.address);
                    }
                    self.logged_in(true);
                }
                verdict
            }
            None => {
                self.hub.unavailable(Unavailable::Panicked, &self.source.address);
                Verdict::Unavailable
            }
        }
    }
}

/// What was said. `None` if the link ended and the handshake's time is up: till then the work goes on
/// that the question began, whoever it is for. A login's time is up whether its link ended or not.
async fn in_time(parked: &ParkedQuestion, mut judging: CaughtVerdict) -> Option<Decided> {
    let Some((asked, _)) = &parked.0 else { return None };
    let (at, mut late) = (asked.link.answer_by(), None);
    poll_fn(|cx| {
        if let Poll::Ready(checked) = Pin::new(&mut judging).poll(cx) {
            return Poll::Ready(Some(checked));
        }
        let has_ended = asked.link.poll_ended(cx);
        if !asked.is_login {
            ready!(has_ended);
        }
        let Some(at) = at else { return Poll::Ready(None) };
        let late = late.get_or_insert_with(|| asked.hub.runtime.sleep(at));
        late.as_mut().poll(cx).map(|()| None)
    })
    .await
}

/// The duty to answer one question, once, and its place. Dropped without an answer (its task was
/// killed), nobody could tell.
struct ParkedQuestion(Option<(Applicant, Permit)>);

impl ParkedQuestion {
    fn new(asked: Applicant, permit: Permit) -> Self {
        Self(Some((asked, permit)))
    }

    fn is_over(&self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        self.0.as_ref().is_none_or(|(asked, _)| asked.link.poll_ended(&mut cx).is_ready())
    }

    fn answer(mut self, checked: Decided) {
        self.notify(checked);
    }

    fn notify(&mut self, checked: Decided) {
        let Some((asked, permit)) = self.0.take() else { return };
        // The question's place is free before its answer is told: who hears it may come again at once.
        drop(permit);
        let verdict = asked.told(checked);
        asked.link.answer(verdict);
    }
}

impl Drop for ParkedQuestion {
    fn drop(&mut self) {
        self.notify(Some(Verdict::Unavailable));
    }
}

/// What an authenticator said; `None` if it panicked.
type Decided = Option<Verdict>;

/// The panic's text is not logged: it may hold what was asked about.
fn unlogged(_: &str) {}

struct Unlogged;

impl OnPanic for Unlogged {
    fn panicked(&self, text: &str) {
        unlogged(text);
    }
}

/// An authenticator's future, whose panic is an answer.
type CaughtVerdict = CatchUnwind<Verdict, Unlogged>;
