//! Deadlines, in every stage of a call.

use crate::{assert_at_rest, at_every_chunk};
use pseud::Reason;
use pseud::proto::pseud::{BACKLOG_BYTES_LOW, Dropped};
use pseud::proto::value::Packed;
use pseud::proto::{Action, CallOptions};
use pseud_testkit::memory::{Ended, Pair, Setup, ms};

/// Fills the client's connection, so that the next call stays in the queue. The server's answer to
/// what fills it is not awaited.
pub(crate) fn fill(pair: &mut Pair) {
    pair.up.stop();
    let body = "x".repeat(BACKLOG_BYTES_LOW);
    pair.client.call("fill", (body,));
}

#[test]
fn a_call_that_was_queued_was_not_executed() {
    at_every_chunk(|setup| {
        let mut pair = setup.open();
        fill(&mut pair);
        let call = pair.client.call_within(ms(100), "hello");
        pair.advance(ms(99));
        assert_eq!(pair.client.ended(call), Ended::Pending);
        pair.advance(ms(1));
        assert_eq!(pair.client.ended(call), Ended::NotExecuted(Reason::TimedOut));
        pair.up.flow();
        pair.settle();
        let names: Vec<_> =
            std::iter::from_fn(|| pair.server.next_work()).map(|w| w.name).collect();
        assert_eq!(names, ["fill"], "what ended in the queue never leaves");
    });
}

#[test]
fn a_call_that_was_pulled_may_have_been_executed() {
    at_every_chunk(|setup| {
        let mut pair = setup.open();
        pair.up.stop();
        let call = pair.client.call_within(ms(100), "hello");
        pair.advance(ms(100));
        assert_eq!(pair.client.ended(call), Ended::Unknown(Reason::TimedOut));
        pair.up.flow();
        pair.settle();
        let work = pair.server.work();
        pair.server.answer(work, ());
        pair.settle();
        assert_eq!(pair.client.dropped(Dropped::UnknownReply), 1);
        assert_at_rest(&pair);
    });
}

#[test]
fn a_call_that_was_sent_may_have_been_executed() {
    at_every_chunk(|setup| {
        let mut pair = setup.latency(ms(10)).open();
        let call = pair.client.call_within(ms(100), "hello");
        pair.advance(ms(100));
        assert_eq!(pair.client.ended(call), Ended::Unknown(Reason::TimedOut));
        let work = pair.server.work();
        pair.server.answer(work, "late");
        pair.advance(ms(10));
        assert_eq!(pair.client.dropped(Dropped::UnknownReply), 1);
        assert_eq!(pair.client.ended(call), Ended::Unknown(Reason::TimedOut));
        assert_at_rest(&pair);
    });
}

#[test]
fn the_earliest_deadline_is_always_known() {
    let mut pair = Setup::default().open();
    let start = pair.clock.now();
    let timeouts = [900, 300, 600, 100, 1_200];
    let calls = timeouts.map(|timeout| (pair.client.call_within(ms(timeout), "wait"), timeout));
    // What waits to be written has a deadline of its own (S-09).
    pair.settle();
    let mut sorted = calls;
    sorted.sort_by_key(|&(_, timeout)| timeout);
    for (left, (call, timeout)) in (0..sorted.len()).rev().zip(sorted) {
        assert_eq!(pair.client.channel.poll_timeout(), Some(start + ms(timeout)));
        pair.advance(start + ms(timeout) - pair.clock.now());
        assert_eq!(pair.client.ended(call), Ended::Unknown(Reason::TimedOut));
        assert_eq!(pair.client.deadlines(), (left, 0));
    }
    assert_eq!(pair.client.channel.poll_timeout(), None);
}

#[test]
fn a_clock_that_stands_still_or_goes_on_by_years_does_no_harm() {
    let mut pair = Setup::default().open();
    let call = pair.client.call("hello", ());
    pair.settle();
    let year = ms(365 * 24 * 3_600 * 1_000);
    let now = pair.clock.now();
    assert_eq!(pair.client.channel.handle_timeout(now), Ok(()));
    assert_eq!(pair.client.ended(call), Ended::Pending);
    pair.advance(year);
    assert_eq!(pair.client.ended(call), Ended::Unknown(Reason::TimedOut));
    let work = pair.server.work();
    pair.server.answer(work, ());
    pair.settle();
    assert_eq!(pair.server.dropped(Dropped::LateReply), 1);
    assert_at_rest(&pair);
}

/// J-13: calls that are made and given up leave no deadline, no slot and no queue entry.
#[test]
fn j_13_a_million_abandoned_calls_leave_nothing() {
    let mut pair = Setup::default().open();
    fill(&mut pair);
    let body = Packed::call(&(), &()).expect("no arguments");
    for n in 0..1_000_000 {
        let (now, options) = (pair.clock.now(), CallOptions::default());
        let channel = &mut pair.client.channel;
        let call = channel.call("drop.me", body.clone(), options, now).expect("room");
        channel.cancel(call, now);
        let action = channel.poll_action();
        assert!(matches!(action, Some(Action::Finish { call: ended, .. }) if ended == call));
        if n % 1_000 == 0 {
            assert_eq!(pair.client.deadlines(), (1, 0));
        }
    }
    pair.up.flow();
    pair.settle();
    let work = pair.server.work();
    assert_eq!((work.name.as_str(), pair.server.next_work().map(|next| next.name)), ("fill", None));
    pair.server.answer(work, ());
    pair.settle();
    assert_at_rest(&pair);
}
