//! A spy on handlers: it is told of every call, run and end, outside of the wire and by any thread.

use crate::conversation::now;
use crate::ledger::{CallEnd, Decided, Ledger, Made, Number, Tally};
use pseud_async::CallError;
use pseud_proto::Executed;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long after its time-out a busy machine may tell of an end.
const SLACK: Duration = Duration::from_secs(3);

/// Who is told. Runs and ends may come in any order, so nothing is checked before the end.
#[derive(Debug, Default)]
pub struct Spy(Mutex<Ledger>);

impl Spy {
    /// A call is about to be made: its number.
    pub fn made(&self, timeout: Duration) -> Number {
        let (mut ledger, at) = (self.lock(), now());
        let deadline = at + timeout;
        let number = ledger.next_number();
        let _ = ledger.made(number, Made { maker: 0, meant: None, at, deadline });
        number
    }

    /// A handler begins to run that call.
    pub fn runs(&self, number: Number) {
        let _ = self.lock().runs(number, 0);
    }

    /// That call ended.
    pub fn ended(&self, number: Number, end: CallEnd) {
        let _ = self.lock().ended(number, end, now());
    }

    /// That call ended after so long, by another's watch.
    pub fn ended_after(&self, number: Number, end: CallEnd, took: Duration) {
        let mut ledger = self.lock();
        let at = ledger.deadline(number).map_or_else(now, |(made, _)| made + took);
        let _ = ledger.ended(number, end, at);
    }

    /// How many calls have not ended yet.
    pub fn pending(&self) -> usize {
        self.lock().open()
    }

    /// How calls ended, if every promise was kept; else the first that was not.
    pub fn check(&self) -> Decided<Tally> {
        self.lock().check(SLACK)
    }

    /// What it knows.
    pub fn ledger(&self) -> Ledger {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a call of ours ended, for the ledger. What a handler raises on purpose is of the class `OnPurpose`.
pub fn end_of(result: Result<u64, CallError>) -> CallEnd {
    match result {
        Ok(value) => CallEnd::Value(Some(value)),
        Err(CallError::Fault(fault)) if fault.class == "Overloaded" => CallEnd::Shed,
        Err(CallError::Fault(fault)) if fault.class == "OnPurpose" => CallEnd::Fault,
        Err(CallError::Closed { executed }) => {
            CallEnd::Closed { not_executed: executed == Executed::No }
        }
        Err(error) if error.is_retry_safe() => CallEnd::NotExecuted(error.to_string()),
        Err(CallError::Unknown(reason)) => CallEnd::Unknown(reason.to_string()),
        Err(error) => CallEnd::Odd(error.to_string()),
    }
}
