//! Requests that are answered without their handlers having run: told apart from faults where both
//! sides can.

use crate::{assert_at_rest, at_every_chunk};
use pseud::proto::pseud::Dropped;
use pseud::proto::{CallId, Capabilities, Refusal};
use pseud::{Fault, Reason};
use pseud_testkit::memory::{Ended, Setup, ms};

/// All that a driver may say, what a v1 peer hears of it, and what others do.
fn refusals() -> [(Refusal, Fault, Reason); 8] {
    [
        (Refusal::Draining, Fault::new("Draining", "this peer is shutting down"), Reason::Draining),
        (
            Refusal::Overloaded { max: 3, what: "handlers run" },
            Fault::new("Overloaded", "3 handlers run"),
            Reason::Overloaded,
        ),
        (
            Refusal::NoSuchService("no.such".into()),
            Fault::new("ServiceNotFoundError", "no.such"),
            Reason::NoSuchService,
        ),
        (
            Refusal::TooLarge { size: 3, max: 2 },
            Fault::new("TooLarge", "a request of 3 bytes exceeds the limit of 2"),
            Reason::CallTooLarge,
        ),
        (
            Refusal::BadCall("truncated at byte 0".into()),
            Fault::new("TypeError", "truncated at byte 0"),
            Reason::BadCall,
        ),
        (
            Refusal::TooManyHops { max: 32 },
            Fault::new("TooManyHops", "more than 32 hops"),
            Reason::TooManyHops,
        ),
        (
            Refusal::Unauthorized,
            Fault::new("UnauthorizedError", "this peer may not call in the name of others"),
            Reason::Unauthorized,
        ),
        (
            Refusal::Version,
            Fault::new("VersionMismatch", "only version v1 is spoken here"),
            Reason::Unsupported,
        ),
    ]
}

/// How a call ends that is refused so.
fn refused(setup: &Setup, refusal: &Refusal) -> Ended {
    let mut pair = setup.clone().open();
    let call = pair.client.call("hello", ());
    pair.settle();
    let work = pair.server.work();
    pair.server.refuse(work, refusal);
    pair.settle();
    assert_eq!(pair.server.stats().requests_refused, 1);
    assert_at_rest(&pair);
    pair.client.ended(call)
}

#[test]
fn a_refusal_is_no_fault_where_both_sides_can_tell() {
    at_every_chunk(|setup| {
        let declared = setup.clone().declared();
        for (refusal, fault, reason) in refusals() {
            assert_eq!(refused(&declared, &refusal), Ended::NotExecuted(reason));
            assert_eq!(refused(&setup, &refusal), Ended::Fault(fault));
        }
    });
}

/// Only the reader's declaration counts: who reads it is told it.
#[test]
fn a_side_that_declares_nothing_tells_those_that_do() {
    let reads = |setup: &mut Setup| setup.client.capabilities = Capabilities::OUTCOMES;
    let (refusal, _, reason) = refusals()[0].clone();
    assert_eq!(refused(&Setup::default().with(reads), &refusal), Ended::NotExecuted(reason));
}

#[test]
fn a_handlers_fault_stays_one_whatever_its_class() {
    at_every_chunk(|setup| {
        let mut pair = setup.declared().open();
        let call = pair.client.call("hello", ());
        pair.settle();
        let work = pair.server.work();
        let fault = Fault::new("ServiceNotFoundError", "of a call that I made");
        pair.server.fail(work, fault.clone());
        pair.settle();
        assert_eq!(pair.client.ended(call), Ended::Fault(fault));
        assert_at_rest(&pair);
    });
}

#[test]
fn the_machine_itself_refuses_what_has_no_room_or_sense() {
    at_every_chunk(|setup| {
        let mut pair = setup
            .declared()
            .with(|setup| setup.server.limits.requests_open_per_peer_max = 1)
            .open();
        let calls: [CallId; 2] = [1, 2].map(|n| pair.client.call("hello", (n,)));
        pair.settle();
        assert_eq!(pair.client.ended(calls[1]), Ended::NotExecuted(Reason::Overloaded));
        let work = pair.server.work();
        pair.server.answer(work, 1);
        pair.settle();
        assert_eq!(pair.client.ended(calls[0]), Ended::Value(1.into()));
        assert_at_rest(&pair);
    });
}

#[test]
fn a_refusal_that_comes_too_late_for_a_v1_peer_is_dropped() {
    let mut pair = Setup::default().open();
    pair.client.call("hello", ());
    pair.settle();
    let work = pair.server.work();
    pair.advance(ms(4_500));
    pair.server.refuse(work, &Refusal::Draining);
    assert_eq!(pair.server.dropped(Dropped::LateReply), 1);
    assert_eq!(pair.server.stats().requests_refused, 0);
    pair.advance(ms(500));
    assert_at_rest(&pair);
}
