//! What was promised of each call, and whether it was kept: the one check of outcomes, of machines in
//! memory and of peers over sockets.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// Which call: the payload that no other call carries, whoever made it.
pub type Number = u64;

/// Who makes calls and runs handlers.
pub type Member = usize;

/// A message id on the wire.
pub type Id = Vec<u8>;

/// What a handler returns: so a value that was made for another call is seen.
pub fn answer_to(number: Number) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 1
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallEnd {
    /// With that value; `None` if it is none that a handler returns.
    Value(Option<u64>),
    /// The handler ran and raised.
    Fault,
    /// The handler ran, and its result is lost.
    Executed,
    /// The far side had no room, and said so before it ran anything.
    Shed,
    NotExecuted(String),
    Unknown(String),
    /// This side shut down; whether it is sure that nothing ran.
    Closed {
        not_executed: bool,
    },
    /// None of what may happen.
    Odd(String),
}

/// How many calls ended in each way.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    pub values: usize,
    pub faults: usize,
    pub shed: usize,
    pub not_executed: usize,
    pub unknown: usize,
    /// Those of `unknown` that were run.
    pub unknown_but_run: usize,
    pub closed: usize,
}

/// A ledger of all calls of a run. Each entry says what promise it breaks, if it breaks one; who hears of
/// runs and ends in no order, because they come from many threads, passes over that and asks at the end.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    calls: BTreeMap<Number, Entry>,
    /// How often each id came in a request, and how often one was sent again on purpose.
    heard: BTreeMap<Id, usize>,
    repeated: BTreeMap<Id, usize>,
    /// Calls that are not over, as far as is known.
    open: BTreeSet<Number>,
}

/// What was seen of one call.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    /// `None` if nobody made it.
    pub made: Option<Made>,
    /// Who ran it.
    pub runs: Vec<Member>,
    pub ends: Vec<(CallEnd, Instant)>,
}

/// What was promised.
#[derive(Debug, Clone)]
pub struct Made {
    pub maker: Member,
    /// Who may run it; `None` where that is not known.
    pub meant: Option<Vec<Member>>,
    pub at: Instant,
    /// No later than this it ends.
    pub deadline: Instant,
}

/// What broke a promise.
pub type Decided<T = ()> = Result<T, String>;

impl Ledger {
    /// A call was made and not refused.
    pub fn made(&mut self, number: Number, made: Made) -> Decided {
        let entry = self.calls.entry(number).or_default();
        if entry.made.replace(made).is_some() {
            return Err(format!("call {number} was made twice"));
        }
        self.open.insert(number);
        self.check_one(number)
    }

    /// A handler of that member was handed that call.
    pub fn runs(&mut self, number: Number, member: Member) -> Decided {
        self.calls.entry(number).or_default().runs.push(member);
        self.check_one(number)
    }

    /// That call ended.
    pub fn ended(&mut self, number: Number, end: CallEnd, at: Instant) -> Decided {
        self.calls.entry(number).or_default().ends.push((end, at));
        self.open.remove(&number);
        self.check_one(number)
    }

    /// A member sends a request again, which an honest one never does.
    pub fn repeats(&mut self, id: Id) {
        *self.repeated.entry(id).or_default() += 1;
    }

    /// A request with that id came to anybody.
    pub fn heard(&mut self, id: Id) -> Decided {
        let repeated = self.repeated.get(&id).copied().unwrap_or_default();
        let times = self.heard.entry(id.clone()).or_default();
        *times += 1;
        if *times > 1 + repeated {
            return Err(format!("request {id:x?} was sent twice"));
        }
        Ok(())
    }

    /// When that call was made, and until when it ends; `None` if nobody made it.
    pub fn deadline(&self, number: Number) -> Option<(Instant, Instant)> {
        let made = self.calls.get(&number)?.made.as_ref()?;
        Some((made.at, made.deadline))
    }

    /// A number that no call has yet.
    pub fn next_number(&self) -> Number {
        self.calls.last_key_value().map_or(0, |(last, _)| last + 1)
    }

    /// The calls of that maker that have not ended, and the earliest of their deadlines.
    pub fn pending(&self, maker: Member) -> (usize, Option<Instant>) {
        let made = self.open.iter().filter_map(|number| self.calls[number].made.as_ref());
        let deadlines = made.filter(|made| made.maker == maker).map(|made| made.deadline);
        deadlines.fold((0, None), |(count, earliest), deadline| {
            (count + 1, Some(earliest.map_or(deadline, |earliest: Instant| earliest.min(deadline))))
        })
    }

    /// How many calls have not ended yet, whoever made them.
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// Nothing is pending beyond its deadline.
    pub fn check_time(&self, now: Instant) -> Decided {
        let overdue = self.open.iter().find(|number| {
            self.calls[number].made.as_ref().is_some_and(|made| made.deadline <= now)
        });
        match overdue {
            Some(number) => Err(format!("call {number} is pending beyond its deadline")),
            None => Ok(()),
        }
    }

    /// All is over: how calls ended, if every promise was kept; else the first that was not. The slack is
    /// for machines that are busy: how much after its deadline an end may be told.
    pub fn check(&self, slack: Duration) -> Decided<Tally> {
        let mut tally = Tally::default();
        for (number, entry) in &self.calls {
            self.check_one(*number)?;
            let [(end, at)] = &entry.ends[..] else {
                return Err(format!("call {number} has never ended: {entry:?}"));
            };
            if entry.made.as_ref().is_some_and(|made| *at > made.deadline + slack) {
                return Err(format!("call {number} ended too late: {entry:?}"));
            }
            tally.count(end, entry.runs.len());
        }
        Ok(tally)
    }

    /// The same calls, each told otherwise.
    pub fn retold(&self, retell: impl Fn(&mut Entry)) -> Self {
        let mut retold = self.clone();
        retold.calls.values_mut().for_each(retell);
        retold
    }

    fn check_one(&self, number: Number) -> Decided {
        let entry = &self.calls[&number];
        entry.check(number).map_err(|why| format!("call {number} {why}: {entry:?}"))
    }
}

impl Entry {
    /// What may be said of it at any moment.
    fn check(&self, number: Number) -> Result<(), &'static str> {
        let Some(made) = &self.made else { return Err("was made by nobody") };
        if self.runs.len() > 1 {
            return Err("was executed twice");
        }
        let meant = |member| made.meant.as_ref().is_none_or(|meant| meant.contains(member));
        if !self.runs.iter().all(meant) {
            return Err("was not meant for who executed it");
        }
        let end = match &self.ends[..] {
            [] => return Ok(()),
            [(end, _)] => end,
            [_, _, ..] => return Err("ended twice"),
        };
        match (end, self.runs.len()) {
            (CallEnd::Odd(_), _) => Err("ended as none may"),
            (CallEnd::Value(_) | CallEnd::Executed, 0) => Err("has a result but was not executed"),
            (CallEnd::Value(value), _) if *value != Some(answer_to(number)) => {
                Err("has the value of another one")
            }
            (end, 1) if end.says_not_executed() => {
                Err("is said not to have been executed, but was")
            }
            (_, _) => Ok(()),
        }
    }
}

impl CallEnd {
    fn says_not_executed(&self) -> bool {
        matches!(self, Self::NotExecuted(_) | Self::Shed | Self::Closed { not_executed: true })
    }
}

impl Tally {
    /// All of them together.
    pub fn and(self, other: Self) -> Self {
        Self {
            values: self.values + other.values,
            faults: self.faults + other.faults,
            shed: self.shed + other.shed,
            not_executed: self.not_executed + other.not_executed,
            unknown: self.unknown + other.unknown,
            unknown_but_run: self.unknown_but_run + other.unknown_but_run,
            closed: self.closed + other.closed,
        }
    }

    fn count(&mut self, end: &CallEnd, runs: usize) {
        match end {
            CallEnd::Value(_) | CallEnd::Executed => self.values += 1,
            CallEnd::Fault => self.faults += 1,
            CallEnd::Shed => self.shed += 1,
            CallEnd::NotExecuted(_) => self.not_executed += 1,
            CallEnd::Closed { .. } => self.closed += 1,
            CallEnd::Unknown(_) | CallEnd::Odd(_) => {
                self.unknown += 1;
                self.unknown_but_run += runs;
            }
        }
    }
}

/// What the check says of a lie, and the lie.
type Lie = (&'static str, fn(&mut Entry));

/// A check is only worth what it catches: in the calls of a run that kept its promises, any lie is seen.
/// There must be some that were executed and of which their maker cannot know.
pub fn assert_lies_are_caught(ledger: &Ledger) {
    let lies: [Lie; 6] = [
        ("is said not to have been executed", |entry| {
            for (end, _) in &mut entry.ends {
                if matches!(end, CallEnd::Unknown(_)) {
                    *end = CallEnd::NotExecuted(String::new());
                }
            }
        }),
        ("ended twice", |entry| entry.ends.extend_from_within(..)),
        ("has never ended", |entry| entry.ends.clear()),
        ("ended too late", |entry| entry.ends[0].1 += Duration::from_secs(60)),
        ("was executed twice", |entry| entry.runs.extend_from_within(..)),
        ("has a result but was not executed", |entry| entry.runs.clear()),
    ];
    for (why, lie) in lies {
        let caught = ledger.retold(lie).check(Duration::from_secs(10)).expect_err(why);
        assert!(caught.contains(why), "{caught} is not: {why}");
    }
    let mut ledger = ledger.clone();
    let caught = ledger.runs(Number::MAX, 0).expect_err("a call of nobody's");
    assert!(caught.contains("was made by nobody"), "{caught}");
}

#[cfg(test)]
mod tests;
