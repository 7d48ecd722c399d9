//! Calls and their answers.

use crate::{assert_at_rest, at_every_chunk};
use pseud::Fault;
use pseud::proto::value::Value;
use pseud_testkit::memory::{Ended, Setup, ms};

#[test]
fn a_call_is_answered() {
    at_every_chunk(|setup| {
        let mut pair = setup.latency(ms(20)).open();
        let call = pair.client.call("add", (2, 4));
        pair.settle();
        assert_eq!(pair.server.next_work().map(|work| work.name), None, "it is still on its way");
        pair.advance(ms(20));
        let work = pair.server.work();
        assert_eq!((work.name.as_str(), work.args::<(i64, i64)>()), ("add", (2, 4)));
        assert_eq!((pair.client.deadlines(), pair.server.deadlines()), ((1, 0), (0, 1)));
        pair.server.answer(work, 6);
        pair.settle();
        assert_eq!((pair.client.deadlines(), pair.server.deadlines()), ((1, 0), (0, 0)));
        pair.advance(ms(20));
        assert_eq!(pair.client.ended(call), Ended::Value(6.into()));
        assert_at_rest(&pair);
    });
}

#[test]
fn a_fault_keeps_its_class_and_message_and_its_traceback_only_where_exposed() {
    for expose in [false, true] {
        at_every_chunk(|setup| {
            let mut pair = setup.with(|setup| setup.server.expose_traceback = expose).open();
            let call = pair.client.call("divide", (1, 0));
            pair.settle();
            let fault = Fault::new("ZeroDivisionError", "division by zero");
            let work = pair.server.work();
            pair.server.fail(work, fault.clone().with_traceback("File \"/srv/secret.py\""));
            pair.settle();
            let told = if expose { fault.with_traceback("File \"/srv/secret.py\"") } else { fault };
            assert_eq!(pair.client.ended(call), Ended::Fault(told));
            assert_at_rest(&pair);
        });
    }
}

#[test]
fn a_name_that_nobody_registered_is_a_fault_like_any_other() {
    at_every_chunk(|setup| {
        let mut pair = setup.open();
        let call = pair.client.call("no.such.thing", ());
        pair.settle();
        let work = pair.server.work();
        let fault = Fault::new("ServiceNotFoundError", work.name.clone());
        pair.server.fail(work, fault.clone());
        pair.settle();
        assert_eq!(pair.client.ended(call), Ended::Fault(fault));
        assert_at_rest(&pair);
    });
}

#[test]
fn a_class_that_would_end_a_python_reader_is_told_as_text() {
    let mut pair = Setup::default().open();
    let call = pair.client.call("exit", ());
    pair.settle();
    let work = pair.server.work();
    pair.server.fail(work, Fault::new("SystemExit", "0"));
    pair.settle();
    assert_eq!(pair.client.ended(call), Ended::Fault(Fault::new("Exception", "SystemExit\n0")));
}

#[test]
fn a_handler_calls_its_caller_back_to_any_depth() {
    const DEPTH: usize = 32;
    at_every_chunk(|setup| {
        let mut pair = setup.open();
        let first = pair.client.call("down", (0,));
        let mut asked = Vec::new();
        for depth in 0..DEPTH {
            pair.settle();
            let callee = if depth.is_multiple_of(2) { &mut pair.server } else { &mut pair.client };
            let work = callee.work();
            assert_eq!(work.args::<(usize,)>(), (depth,));
            asked.push((work, callee.call("down", (depth + 1,))));
        }
        pair.settle();
        let last = if DEPTH.is_multiple_of(2) { &mut pair.server } else { &mut pair.client };
        let work = last.work();
        last.answer(work, DEPTH);
        for (depth, (work, inner)) in asked.into_iter().enumerate().rev() {
            pair.settle();
            let callee = if depth.is_multiple_of(2) { &mut pair.server } else { &mut pair.client };
            assert_eq!(callee.ended(inner), Ended::Value((DEPTH as i64).into()));
            callee.answer(work, DEPTH);
        }
        pair.settle();
        assert_eq!(pair.client.ended(first), Ended::Value((DEPTH as i64).into()));
        assert_at_rest(&pair);
    });
}

#[test]
fn a_hundred_calls_are_answered_in_any_order() {
    at_every_chunk(|setup| {
        let mut pair = setup.open();
        let calls: Vec<_> = (0..100).map(|n| pair.client.call("square", (n,))).collect();
        pair.settle();
        let mut waiting: Vec<_> = std::iter::from_fn(|| pair.server.next_work()).collect();
        let order: Vec<i64> = waiting.iter().map(|work| work.args::<(i64,)>().0).collect();
        assert!(order.iter().copied().eq(0..100), "handed out as they came: {order:?}");
        assert_eq!((pair.client.deadlines(), pair.server.deadlines()), ((100, 0), (0, 100)));
        // 37 and 100 have no common factor: each is answered once, none after its neighbour.
        waiting.sort_by_key(|work| work.args::<(i64,)>().0 * 37 % 100);
        for work in waiting {
            let (n,) = work.args::<(i64,)>();
            pair.server.answer(work, n * n);
            pair.step();
        }
        pair.settle();
        for (n, call) in (0i64..).zip(calls) {
            assert_eq!(pair.client.ended(call), Ended::Value((n * n).into()));
        }
        assert_at_rest(&pair);
    });
}

#[test]
fn large_bodies_travel_both_ways() {
    at_every_chunk(|setup| {
        // A mebibyte a byte at a time says no more than 64 KiB do, and takes sixteen times as long.
        let size = if setup.chunk < 64 { 64 << 10 } else { 1 << 20 };
        let text = "x".repeat(size);
        let mut pair = setup.open();
        let call = pair.client.call("echo", (&text,));
        pair.settle();
        let work = pair.server.work();
        assert_eq!(work.args::<(String,)>().0, text);
        pair.server.answer(work, &text);
        pair.settle();
        assert_eq!(pair.client.ended(call), Ended::Value(Value::from(text.as_str())));
        assert_at_rest(&pair);
    });
}

#[test]
fn a_large_body_does_not_keep_the_answers_of_others_waiting() {
    let mut pair = Setup::default().chunk(64).open();
    let (large, small) = ("x".repeat(1 << 20), "y");
    pair.client.call("keep", (&large,));
    let call = pair.server.call("name", (small,));
    while pair.client.next_work().map(|work| pair.client.answer(work, small)).is_none() {
        assert!(pair.step());
    }
    assert_eq!(pair.server.next_work().map(|work| work.id), None, "the large one is not through");
    pair.settle();
    assert_eq!(pair.server.ended(call), Ended::Value(small.into()));
}

#[test]
fn the_last_moment_of_a_call_is_its_own() {
    let mut pair = Setup::default().latency(ms(10)).open();
    let call = pair.client.call_within(ms(20), "ping");
    pair.advance(ms(10));
    let work = pair.server.work();
    pair.server.answer(work, ());
    pair.advance(ms(9));
    assert_eq!(pair.client.ended(call), Ended::Pending);
    pair.advance(ms(1));
    // Answer and deadline come at one moment: the clock is looked at first.
    assert_eq!(pair.client.ended(call), Ended::Unknown(pseud::Reason::TimedOut));
    assert_at_rest(&pair);
}
