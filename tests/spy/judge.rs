//! The calls, how often each was run, how each ended, and whether all that fits together.

use pseud::{CallError, Executed};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Which call: no other has it, whoever made it.
pub(crate) type Number = u64;

/// How long after its time-out a busy machine may tell of an end.
const SLACK: Duration = Duration::from_secs(3);

/// What a handler returns: so a value that was made for another call is seen.
pub(crate) fn answer_to(number: Number) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 1
}

/// Who is told of every call, run and end. Any thread may tell; nothing is judged before the end.
#[derive(Debug, Default)]
pub(crate) struct Spy(Mutex<BTreeMap<Number, Seen>>);

/// What was seen of one call.
#[derive(Debug, Clone, Default)]
struct Seen {
    /// How long it may take; `None` if nobody made it.
    timeout: Option<Duration>,
    runs: usize,
    ends: Vec<(End, Duration)>,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    Value(u64),
    /// The far side had no room, and said so before it ran anything.
    Shed,
    NotExecuted(String),
    Unknown(String),
    /// None of what may happen here.
    Odd(String),
}

/// How many calls ended in each way.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) values: usize,
    pub(crate) shed: usize,
    pub(crate) not_executed: usize,
    pub(crate) unknown: usize,
    /// Those of `unknown` that were run.
    pub(crate) unknown_but_run: usize,
}

impl Spy {
    /// A call is about to be made: its number.
    pub(crate) fn made(&self, timeout: Duration) -> Number {
        let mut calls = self.lock();
        let number = calls.last_key_value().map_or(0, |(last, _)| last + 1);
        calls.insert(number, Seen { timeout: Some(timeout), ..Seen::default() });
        number
    }

    /// A handler begins to run that call.
    pub(crate) fn runs(&self, number: Number) {
        self.lock().entry(number).or_default().runs += 1;
    }

    /// That call ended after so long.
    pub(crate) fn ended(&self, number: Number, end: End, took: Duration) {
        self.lock().entry(number).or_default().ends.push((end, took));
    }

    /// Makes a call and sees how it ends.
    pub(crate) async fn follow<P, C>(&self, timeout: Duration, call: impl FnOnce(Number) -> C)
    where
        C: Future<Output = Result<(u64, P), CallError>>,
    {
        let (number, began) = (self.made(timeout), Instant::now());
        let end = End::from(call(number).await.map(|(answer, _)| answer));
        self.ended(number, end, began.elapsed());
    }

    /// How many calls have not ended yet.
    pub(crate) fn pending(&self) -> usize {
        self.lock().values().filter(|seen| seen.ends.is_empty()).count()
    }

    /// How calls ended, if every promise was kept; else the first that was not.
    pub(crate) fn judge(&self) -> Result<Tally, String> {
        let mut tally = Tally::default();
        for (number, seen) in &*self.lock() {
            let end =
                seen.judge(*number).map_err(|why| format!("call {number} {why}: {seen:?}"))?;
            match end {
                End::Value(_) => tally.values += 1,
                End::Shed => tally.shed += 1,
                End::NotExecuted(_) => tally.not_executed += 1,
                End::Unknown(_) | End::Odd(_) => {
                    tally.unknown += 1;
                    tally.unknown_but_run += seen.runs;
                }
            }
        }
        Ok(tally)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Number, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same calls, each told otherwise.
    fn retold(&self, retell: impl Fn(&mut Seen)) -> Self {
        let mut calls = self.lock().clone();
        calls.values_mut().for_each(retell);
        Self(Mutex::new(calls))
    }
}

impl Seen {
    fn judge(&self, number: Number) -> Result<&End, &'static str> {
        let timeout = self.timeout.ok_or("was made by nobody")?;
        let (end, took) = match self.ends.as_slice() {
            [] => return Err("has never ended"),
            [one] => one,
            [_, _, ..] => return Err("ended twice"),
        };
        match (end, self.runs) {
            (_, 2..) => Err("was run twice"),
            _ if *took > timeout + SLACK => Err("ended too late"),
            (End::Odd(_), _) => Err("ended as none may"),
            (End::Value(_), 0) => Err("has a value but was not run"),
            (End::Value(value), _) if *value != answer_to(number) => Err("has another's value"),
            (End::NotExecuted(_) | End::Shed, 1) => Err("is said not to have been run"),
            (_, _) => Ok(end),
        }
    }
}

impl From<Result<u64, CallError>> for End {
    fn from(result: Result<u64, CallError>) -> Self {
        match result {
            Ok(value) => Self::Value(value),
            Err(CallError::Fault(fault)) if fault.class == "Overloaded" => Self::Shed,
            Err(error) if error.is_retry_safe() => Self::NotExecuted(error.to_string()),
            Err(CallError::Unknown(reason)) => Self::Unknown(reason.to_string()),
            Err(CallError::Closed { executed: Executed::Maybe }) => Self::Unknown("closed".into()),
            Err(error) => Self::Odd(error.to_string()),
        }
    }
}

/// What the judge says of a lie, and the lie.
type Lie = (&'static str, fn(&mut Seen));

/// A judge is only worth what it catches: in the calls of a run that kept its promises, any lie is
/// seen.
pub(crate) fn assert_lies_are_caught(spy: &Spy) {
    let lies: [Lie; 6] = [
        ("is said not to have been run", |seen| {
            let forged = || End::NotExecuted(String::new());
            let doubt = seen.ends.iter_mut().filter(|(end, _)| matches!(end, End::Unknown(_)));
            doubt.for_each(|(end, _)| *end = forged());
        }),
        ("ended twice", |seen| seen.ends.extend_from_within(..)),
        ("has never ended", |seen| seen.ends.clear()),
        ("ended too late", |seen| seen.ends[0].1 += Duration::from_secs(60)),
        ("was run twice", |seen| seen.runs *= 2),
        ("has a value but was not run", |seen| seen.runs = 0),
    ];
    for (why, lie) in lies {
        let caught = spy.retold(lie).judge().expect_err(why);
        assert!(caught.contains(why), "{caught} is not: {why}");
    }
    spy.runs(Number::MAX);
    let caught = spy.judge().expect_err("a call of nobody's");
    assert!(caught.contains("was made by nobody"), "{caught}");
}

#[test]
fn a_value_of_another_call_and_what_may_not_happen_are_caught() {
    for (end, why) in [
        (End::Value(answer_to(1)), "has another's value"),
        (End::Odd("a fault".into()), "ended as none may"),
        (End::Shed, "is said not to have been run"),
    ] {
        let spy = Spy::default();
        let number = spy.made(Duration::ZERO);
        spy.runs(number);
        spy.ended(number, end, Duration::ZERO);
        let caught = spy.judge().expect_err(why);
        assert!(caught.contains(why), "{caught}");
    }
}
