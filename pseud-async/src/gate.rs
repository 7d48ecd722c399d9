//! The gate: who is asked whether a stranger may come in, and what an answer does to its link.

use crate::authenticator::{Authenticator, Judging, Source};
use crate::hub::Hub;
use crate::link::AnyLink;
use crate::refusals::Unavailable;
use pseud_proto::zmtp::{Question, Verdict};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

#[cfg(test)]
mod tests;

/// Who is asked about strangers, and how many of them may wait for the answer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Gate {
    /// Who is asked. Default: nobody, so that nobody is admitted where somebody must be asked.
    pub authenticator: Option<Authenticator>,
    /// Questions that wait for their answers at the same time; one more is answered
    /// [`Verdict::Unavailable`]. Default: 256.
    pub questions_parked_max: usize,
}

impl Default for Gate {
    fn default() -> Self {
        Self { authenticator: None, questions_parked_max: 256 }
    }
}

/// A gate, and how many wait at it.
#[derive(Debug, Default)]
pub(crate) struct Doors {
    gate: Gate,
    parked: AtomicUsize,
}

impl Doors {
    pub(crate) fn new(gate: Gate) -> Self {
        Self { gate, parked: AtomicUsize::new(0) }
    }

    fn park(&self) -> bool {
        let max = self.gate.questions_parked_max;
        let more = |parked| (parked < max).then_some(parked + 1);
        self.parked.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).is_ok()
    }
}

/// Asks about the stranger behind that link. `Some`: answered at once; else the link is told later.
pub(crate) fn ask(
    hub: &Arc<Hub>,
    link: &Arc<dyn AnyLink>,
    question: Question,
    address: &str,
) -> Option<Verdict> {
    let Some(authenticator) = &hub.doors.gate.authenticator else {
        hub.unavailable(Unavailable::Nobody, address);
        return Some(Verdict::Unavailable);
    };
    let (source, who) = (Source { address: address.to_owned() }, question.to_string());
    let judging = catch_unwind(AssertUnwindSafe(|| authenticator.judge(question, source)));
    let Ok(judging) = judging else {
        hub.unavailable(Unavailable::Panicked, address);
        return Some(Verdict::Unavailable);
    };
    let mut judging = Guarded(judging);
    let mut cx = Context::from_waker(Waker::noop());
    if let Poll::Ready(verdict) = Pin::new(&mut judging).poll(&mut cx) {
        return Some(told(verdict, hub, &**link, who, address));
    }
    if !hub.doors.park() {
        hub.unavailable(Unavailable::Crowded, address);
        return Some(Verdict::Unavailable);
    }
    let parked = Parked { hub: hub.clone(), link: Some(link.clone()) };
    let address = address.to_owned();
    (hub.runtime.spawn)(Box::pin(async move {
        if let Some(verdict) = unless_ended(&parked.link, judging).await {
            parked.answer(|hub, link| told(verdict, hub, link, who, &address));
        }
    }));
    None
}

/// The answer to what an authenticator said. The link learns who is not let in: the line that says that
/// it failed names them, whom somebody may have forgotten to add.
fn told(judged: Judged, hub: &Hub, link: &dyn AnyLink, who: String, address: &str) -> Verdict {
    match judged {
        Ok(Verdict::Deny) => {
            link.denies(who);
            Verdict::Deny
        }
        Ok(verdict) => verdict,
        Err(Panicked) => {
            hub.unavailable(Unavailable::Panicked, address);
            Verdict::Unavailable
        }
    }
}

/// The verdict; `None` if the link ended before: its place is for somebody else then.
async fn unless_ended(link: &Option<Arc<dyn AnyLink>>, mut judging: Guarded) -> Option<Judged> {
    poll_fn(|cx| match link.as_ref().map(|link| link.poll_ended(cx)) {
        None | Some(Poll::Ready(())) => Poll::Ready(None),
        Some(Poll::Pending) => Pin::new(&mut judging).poll(cx).map(Some),
    })
    .await
}

/// The duty to answer one question, once. Dropped without an answer (its task was killed), nobody
/// could tell.
struct Parked {
    hub: Arc<Hub>,
    link: Option<Arc<dyn AnyLink>>,
}

impl Parked {
    fn answer(mut self, told: impl FnOnce(&Hub, &dyn AnyLink) -> Verdict) {
        let verdict = self.link.as_deref().map(|link| told(&self.hub, link));
        self.tell(verdict.unwrap_or(Verdict::Unavailable));
    }

    fn tell(&mut self, verdict: Verdict) {
        if let Some(link) = self.link.take() {
            self.hub.doors.parked.fetch_sub(1, Ordering::AcqRel);
            link.answer(&self.hub, verdict);
        }
    }
}

impl Drop for Parked {
    fn drop(&mut self) {
        self.tell(Verdict::Unavailable);
    }
}

/// What an authenticator said.
type Judged = Result<Verdict, Panicked>;

/// It panicked. The panic's text is not logged: it may hold what was asked about.
struct Panicked;

/// An authenticator's future, whose panic is an answer.
struct Guarded(Judging);

impl Future for Guarded {
    type Output = Judged;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Judged> {
        match catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(_) => Poll::Ready(Err(Panicked)),
        }
    }
}
