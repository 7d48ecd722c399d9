//! How a call of ours over real sockets ended, for the spy on handlers: see [`Spy`].

use pseud::{CallError, Executed};
use pseud_testkit::ledger::{End, Number};
use pseud_testkit::spy::Spy;
use std::time::Duration;

/// Makes a call and sees how it ends.
pub(crate) async fn follow<P, C>(spy: &Spy, timeout: Duration, call: impl FnOnce(Number) -> C)
where
    C: Future<Output = Result<(u64, P), CallError>>,
{
    let number = spy.made(timeout);
    let result = call(number).await.map(|(answer, _)| answer);
    spy.ended(number, end_of(result));
}

fn end_of(result: Result<u64, CallError>) -> End {
    match result {
        Ok(value) => End::Value(Some(value)),
        Err(CallError::Fault(fault)) if fault.class == "Overloaded" => End::Shed,
        Err(CallError::Closed { executed }) => {
            End::Closed { not_executed: executed == Executed::No }
        }
        Err(error) if error.is_retry_safe() => End::NotExecuted(error.to_string()),
        Err(CallError::Unknown(reason)) => End::Unknown(reason.to_string()),
        Err(error) => End::Odd(error.to_string()),
    }
}
