//! What peers declare in their handshake, and what follows from it.

use crate::{assert_at_rest, at_every_chunk};
use pseud::Reason;
use pseud::proto::pseud::Dropped;
use pseud::proto::{CallRefused, Capabilities, Profile};
use pseud_testkit::memory::{Ended, Pair, Setup, ms};

/// What each side takes the other for.
fn profiles(pair: &Pair) -> [Profile; 2] {
    [&pair.client, &pair.server].map(|side| {
        let peer = side.channel.peer().expect("a session");
        side.channel.machines().1.peer_info(peer).expect("its peer").profile
    })
}

#[test]
fn each_side_learns_what_the_other_declares() {
    at_every_chunk(|setup| {
        let pair = setup.clone().declared().open();
        assert_eq!(profiles(&pair), [Profile::declared(Capabilities::ALL, 8 << 20); 2]);
        let one = |setup: &mut Setup| setup.client.capabilities = Capabilities::OUTCOMES;
        let pair = setup.clone().with(one).open();
        let client = Profile::declared(Capabilities::OUTCOMES, 8 << 20);
        assert_eq!(profiles(&pair), [Profile::V1, client]);
        assert_eq!(profiles(&setup.open()), [Profile::V1; 2]);
    });
}

#[test]
fn a_late_answer_leaves_where_it_does_no_harm_and_is_counted_where_it_arrives() {
    at_every_chunk(|setup| {
        let mut pair = setup.declared().open();
        let call = pair.client.call("slow", ());
        pair.settle();
        assert_eq!(pair.server.deadlines(), (0, 0), "no guard");
        assert_eq!(pair.server.channel.poll_timeout(), None);
        let work = pair.server.work();
        pair.advance(ms(60_000));
        assert_eq!(pair.client.ended(call), Ended::Unknown(Reason::TimedOut));
        pair.server.answer(work, "late");
        pair.settle();
        assert_eq!(pair.server.stats().dropped_total(), 0);
        assert_eq!(pair.client.dropped(Dropped::UnknownReply), 1);
        assert!(pair.client.is_connected() && pair.server.is_connected());
        assert_at_rest(&pair);
    });
}

#[test]
fn an_answer_beyond_the_guard_is_awaited_by_a_caller_that_does() {
    let mut pair = Setup::default().declared().open();
    let call = pair.client.call_within(ms(60_000), "slow");
    pair.settle();
    let work = pair.server.work();
    pair.advance(ms(50_000));
    pair.server.answer(work, "slow");
    pair.settle();
    assert_eq!(pair.client.ended(call), Ended::Value("slow".into()));
    assert_at_rest(&pair);
}

/// A server that takes bodies of 2000 bytes, and a client whose own limit is higher.
fn small_server(setup: Setup) -> Setup {
    setup.declared().with(|setup| setup.server.limits.body_bytes_max = 2_000)
}

#[test]
fn a_call_over_what_its_peer_takes_is_refused_at_once() {
    at_every_chunk(|setup| {
        let mut pair = small_server(setup).open();
        // `[name, [text], {}]` in as few bytes as can be: 1 + 6, 1 + 3 + text, 1.
        let call = pair.client.call("store", ("x".repeat(2_000 - 12),));
        let refused = pair.client.try_call("store", ("x".repeat(2_000 - 11),));
        assert_eq!(refused, Err(CallRefused::BodyTooLarge { size: 2_001, max: 2_000 }));
        pair.settle();
        let work = pair.server.work();
        pair.server.answer(work, ());
        pair.settle();
        assert_eq!(pair.client.ended(call), Ended::Value(().into()));
        assert_at_rest(&pair);
    });
}

#[test]
fn a_call_that_waited_for_a_peer_which_does_not_take_it_was_not_executed() {
    let mut pair = small_server(Setup::default()).fresh();
    let large = pair.client.call("store", ("x".repeat(3_000),));
    let small = pair.client.call("store", ("x",));
    pair.settle();
    assert_eq!(pair.client.ended(large), Ended::NotExecuted(Reason::CallTooLarge));
    let work = pair.server.work();
    pair.server.answer(work, 1);
    pair.settle();
    assert_eq!(pair.client.ended(small), Ended::Value(1.into()));
    assert_at_rest(&pair);
}

#[test]
fn a_result_over_what_its_caller_takes_is_a_fault() {
    let small = |setup: &mut Setup| setup.client.limits.body_bytes_max = 2_000;
    let mut pair = Setup::default().declared().with(small).open();
    let calls = [1_997, 1_998].map(|size| {
        let call = pair.client.call("load", ());
        pair.settle();
        let work = pair.server.work();
        pair.server.answer(work, "x".repeat(size));
        pair.settle();
        call
    });
    assert!(matches!(pair.client.ended(calls[0]), Ended::Value(_)));
    let Ended::Fault(fault) = pair.client.ended(calls[1]) else { panic!("no fault") };
    assert_eq!(fault.class, "TooLarge");
    assert_at_rest(&pair);
}
