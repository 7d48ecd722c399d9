//! What was promised of each call, and whether it was kept.

use crate::support::{Ended, Id};
use pseud::Executed;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// Which call: the number of its maker, and the payload that only this call carries.
pub(crate) type Payload = u64;

/// What a handler returns for a payload: so a value that was made for another call is seen.
pub(crate) fn answer_to(payload: Payload) -> u64 {
    payload.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 1
}

/// A ledger of all calls of a swarm. Each entry panics where it breaks a promise.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    calls: BTreeMap<Payload, Entry>,
    started: BTreeSet<Payload>,
    /// How often each id came in a request, and how often one was sent again on purpose.
    heard: BTreeMap<Id, usize>,
    repeated: BTreeMap<Id, usize>,
}

#[derive(Debug)]
struct Entry {
    maker: usize,
    /// Who may be asked; `None` where that is not known.
    meant: Option<Vec<usize>>,
    deadline: Instant,
    ended: Option<Ended>,
}

impl Ledger {
    /// A call was made and not refused.
    pub(crate) fn made(
        &mut self,
        payload: Payload,
        maker: usize,
        meant: Option<Vec<usize>>,
        deadline: Instant,
    ) {
        let entry = Entry { maker, meant, deadline, ended: None };
        assert!(self.calls.insert(payload, entry).is_none(), "a payload is used once");
    }

    /// A member sends a request again, which an honest one never does.
    pub(crate) fn repeats(&mut self, id: Id) {
        *self.repeated.entry(id).or_default() += 1;
    }

    /// A request with that id came to anybody.
    pub(crate) fn heard(&mut self, id: Id) {
        let repeated = self.repeated.get(&id).copied().unwrap_or_default();
        let times = self.heard.entry(id.clone()).or_default();
        *times += 1;
        assert!(*times <= 1 + repeated, "request {id:x?} was sent twice");
    }

    /// A handler of that member was handed a request with that payload.
    pub(crate) fn started(&mut self, payload: Payload, member: usize) {
        let entry = self.calls.get(&payload).expect("a request that nobody made");
        let meant = entry.meant.as_ref().is_none_or(|meant| meant.contains(&member));
        assert!(meant, "call {payload} was not meant for {member}: {:?}", entry.meant);
        let started_before = !self.started.insert(payload);
        assert!(!started_before, "call {payload} was executed twice");
        let denied = entry.ended.as_ref().is_some_and(says_not_executed);
        assert!(!denied, "call {payload} was executed after {:?}", entry.ended);
    }

    /// A call ended.
    pub(crate) fn ended(&mut self, payload: Payload, how: Ended) {
        let entry = self.calls.get_mut(&payload).expect("the end of a call that nobody made");
        assert_eq!(entry.ended, None, "call {payload} ended twice");
        let started = self.started.contains(&payload);
        match &how {
            Ended::Pending => panic!("call {payload} ended as pending"),
            Ended::Value(value) => {
                assert!(started, "call {payload} has a value but was not executed");
                let right = value.as_u64() == Some(answer_to(payload));
                assert!(right, "call {payload} has the value of another one");
            }
            Ended::Executed(_) => assert!(started, "call {payload} was not executed"),
            _ if says_not_executed(&how) => {
                assert!(!started, "call {payload} ended as {how:?} but was executed");
            }
            _ => {}
        }
        entry.ended = Some(how);
    }

    /// The pending calls of that maker, and the earliest of their deadlines.
    pub(crate) fn pending(&self, maker: usize) -> (usize, Option<Instant>) {
        let entries = self.calls.values();
        let pending = entries.filter(|entry| entry.maker == maker && entry.ended.is_none());
        let deadlines: Vec<Instant> = pending.map(|entry| entry.deadline).collect();
        (deadlines.len(), deadlines.into_iter().min())
    }

    /// Nothing is pending beyond its deadline.
    pub(crate) fn check_time(&self, now: Instant) {
        for (payload, entry) in &self.calls {
            let overdue = entry.ended.is_none() && entry.deadline <= now;
            assert!(!overdue, "call {payload} is pending beyond its deadline");
        }
    }

    /// All is over: each call has ended.
    pub(crate) fn check_end(&self) {
        for (payload, entry) in &self.calls {
            assert!(entry.ended.is_some(), "call {payload} has never ended");
        }
    }

    /// How many calls ended in each way: values, faults, not executed, unknown, closed.
    pub(crate) fn tally(&self) -> [usize; 5] {
        let mut tally = [0; 5];
        for entry in self.calls.values() {
            let kind = match &entry.ended {
                None | Some(Ended::Pending) => continue,
                Some(Ended::Value(_) | Ended::Executed(_)) => 0,
                Some(Ended::Fault(_)) => 1,
                Some(Ended::NotExecuted(_)) => 2,
                Some(Ended::Unknown(_)) => 3,
                Some(Ended::Closed(_)) => 4,
            };
            tally[kind] += 1;
        }
        tally
    }
}

fn says_not_executed(how: &Ended) -> bool {
    matches!(how, Ended::NotExecuted(_) | Ended::Closed(Executed::No))
}

/// The ledger sees what it is there to see.
mod tests {
    use super::*;
    use pseud::{Fault, Reason};
    use std::panic::catch_unwind;

    fn one_call() -> Ledger {
        let mut ledger = Ledger::default();
        ledger.made(1, 0, Some(vec![1]), Instant::now());
        ledger
    }

    #[track_caller]
    fn assert_caught(why: &str, tell: impl FnOnce(&mut Ledger) + std::panic::UnwindSafe) {
        let caught = catch_unwind(|| tell(&mut one_call())).expect_err("nobody noticed");
        let text = caught.downcast_ref::<String>().map_or("", String::as_str);
        assert!(text.contains(why), "{text}");
    }

    #[test]
    fn a_call_that_ends_twice_is_caught() {
        assert_caught("ended twice", |ledger| {
            ledger.ended(1, Ended::Unknown(Reason::TimedOut));
            ledger.ended(1, Ended::Unknown(Reason::PeerGone));
        });
    }

    #[test]
    fn a_call_that_never_ends_is_caught() {
        assert_caught("never ended", |ledger| ledger.check_end());
        assert_caught("beyond its deadline", |ledger| ledger.check_time(Instant::now()));
    }

    #[test]
    fn a_forged_not_executed_is_caught_before_and_after_the_start() {
        for lie in [Ended::NotExecuted(Reason::PeerGone), Ended::Closed(Executed::No)] {
            let again = lie.clone();
            assert_caught("but was executed", |ledger| {
                ledger.started(1, 1);
                ledger.ended(1, lie);
            });
            assert_caught("was executed after", |ledger| {
                ledger.ended(1, again);
                ledger.started(1, 1);
            });
        }
    }

    #[test]
    fn a_second_execution_is_caught() {
        assert_caught("executed twice", |ledger| {
            ledger.started(1, 1);
            ledger.started(1, 1);
        });
    }

    #[test]
    fn a_request_that_is_sent_twice_is_caught_unless_that_is_on_purpose() {
        assert_caught("sent twice", |ledger| {
            ledger.repeats(vec![1]);
            (0..3).for_each(|_| ledger.heard(vec![1]));
        });
    }

    #[test]
    fn an_execution_by_somebody_else_is_caught() {
        assert_caught("not meant for 2", |ledger| ledger.started(1, 2));
    }

    #[test]
    fn a_value_from_nowhere_or_of_another_call_is_caught() {
        assert_caught("was not executed", |ledger| {
            ledger.ended(1, Ended::Value(answer_to(1).into()));
        });
        assert_caught("of another one", |ledger| {
            ledger.started(1, 1);
            ledger.ended(1, Ended::Value(answer_to(2).into()));
        });
    }

    #[test]
    fn an_honest_call_passes() {
        let mut ledger = one_call();
        ledger.started(1, 1);
        ledger.ended(1, Ended::Fault(Fault::new("E", "m")));
        ledger.check_end();
        assert_eq!(ledger.tally(), [0, 1, 0, 0, 0]);
    }
}
