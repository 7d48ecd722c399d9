//! The ledger of one life: who tells it of calls and runs.

use super::counts::Counts;
use pseud::{CallError, Reason};
use pseud_testkit::ledger::{CallEnd, Ledger, Made, Member, Number};
use pseud_testkit::sim;
use pseud_testkit::spy::end_of;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The server, whichever of those that follow one another.
pub(crate) const SERVER: Member = 0;

/// How many names clients have; two clients share one at times.
pub(crate) const NAMES: usize = 3;

/// Whose name is the guest's, who comes late or never.
pub(crate) const GUEST: usize = NAMES;

/// Who has no session that anybody could call.
pub(crate) const NOBODY: Member = 1_000;

pub(crate) fn name(number: usize) -> String {
    format!("desk {number}")
}

/// The first client of that name.
pub(crate) fn desk(number: usize) -> Member {
    1 + number
}

/// The second one.
pub(crate) fn twin(number: usize) -> Member {
    1 + NAMES + number
}

pub(crate) fn guest() -> Member {
    1 + 2 * NAMES
}

/// Who may be meant by that identity.
pub(crate) fn members(identity: &[u8]) -> Vec<Member> {
    match (0..NAMES).find(|number| name(*number).as_bytes() == identity) {
        Some(number) => vec![desk(number), twin(number)],
        None if identity == name(GUEST).as_bytes() => vec![guest()],
        None => vec![SERVER],
    }
}

/// One ledger, which everybody in a life writes to.
#[derive(Clone, Default)]
pub(crate) struct Book {
    ledger: Arc<Mutex<Ledger>>,
    counts: Arc<Mutex<Counts>>,
}

impl Book {
    fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call is about to be made: its number. What an entry breaks is told at the end.
    pub(crate) fn made(&self, maker: Member, meant: Vec<Member>, timeout: Duration) -> Number {
        let (mut ledger, at) = (self.lock(), sim::now());
        let number = ledger.next_number();
        let _ = ledger.made(number, Made { maker, meant: Some(meant), at, deadline: at + timeout });
        number
    }

    pub(crate) fn runs(&self, number: Number, member: Member) {
        let _ = self.lock().runs(number, member);
    }

    pub(crate) fn ended(&self, number: Number, end: CallEnd) {
        let _ = self.lock().ended(number, end, sim::now());
    }

    /// Makes a call and sees how it ends, unless it is given up before.
    pub(crate) async fn follow<C>(
        &self,
        plan: Plan,
        call: impl FnOnce(Number, Duration) -> C,
    ) -> CallEnd
    where
        C: Future<Output = Result<(u64, String), CallError>>,
    {
        let number = self.made(plan.maker, plan.meant, plan.until);
        let call = call(number, plan.timeout);
        let told = match plan.given_up {
            Some(after) => sim::timeout(after, call).await,
            None => Some(call.await),
        };
        if matches!(told, Some(Err(CallError::NotExecuted(Reason::Draining)))) {
            self.count(|counts| counts.turned_away += 1);
        }
        let told = told.map(|result| end_of(result.map(|(answer, _)| answer)));
        // Nobody is told of a call that is given up: it may have run.
        let end = told.unwrap_or_else(|| CallEnd::Unknown("given up".into()));
        self.ended(number, end.clone());
        end
    }

    /// Something has happened.
    pub(super) fn count(&self, count: impl FnOnce(&mut Counts)) {
        count(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// How often what has happened.
    pub(super) fn counts(&self) -> Counts {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it knows.
    pub(crate) fn ledger(&self) -> Ledger {
        self.lock().clone()
    }
}

/// What is meant to become of a call.
pub(crate) struct Plan {
    pub(crate) maker: Member,
    pub(crate) meant: Vec<Member>,
    pub(crate) timeout: Duration,
    /// After how long it ends at the latest.
    pub(crate) until: Duration,
    /// After how long its future is dropped, if it has not ended.
    pub(crate) given_up: Option<Duration>,
}

impl Plan {
    /// It is awaited to its end.
    pub(crate) fn new(maker: Member, meant: Vec<Member>, timeout: Duration) -> Self {
        Self { maker, meant, timeout, until: timeout, given_up: None }
    }
}
