//! How a call of ours over real sockets ended, for the spy on handlers: see [`Spy`].

use pseud::CallError;
use pseud_testkit::ledger::Number;
use pseud_testkit::spy::{Spy, end_of};
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
