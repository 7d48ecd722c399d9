//! Bounds, and what reaching each of them means.

use crate::{assert_at_rest, at_every_chunk};
use pseud::proto::pseud::Dropped;
use pseud::proto::{CallId, CallRefused};
use pseud::{Limits, Reason};
use pseud_testkit::memory::{Ended, Pair, Setup, Work, ms};

fn client_limits(change: impl Fn(&mut Limits)) -> impl Fn(Setup) -> Setup {
    move |setup| setup.with(|setup| change(&mut setup.client.limits))
}

#[test]
fn calls_that_are_pending_in_all() {
    let limited = client_limits(|limits| limits.calls_pending_max = 3);
    at_every_chunk(|setup| {
        let mut pair = limited(setup).open();
        let calls = [1, 2, 3].map(|n| pair.client.call("hello", (n,)));
        let refused = pair.client.try_call("hello", (4,));
        assert_eq!(refused, Err(CallRefused::TooManyPending { max: 3 }));
        pair.client.cancel(calls[0]);
        pair.client.try_call("hello", (5,)).expect("room again");
    });
}

#[test]
fn calls_that_are_pending_at_one_peer() {
    let limited = client_limits(|limits| limits.calls_pending_per_peer_max = 3);
    let mut pair = limited(Setup::default()).open();
    let refused = Err(CallRefused::TooManyPending { max: 3 });
    for n in 0..3 {
        pair.client.call("hello", (n,));
    }
    assert_eq!(pair.client.try_call("hello", ()), refused);
    pair.settle();
    let work = pair.server.work();
    pair.server.answer(work, ());
    pair.settle();
    pair.client.call("hello", ());
    assert_eq!(pair.client.try_call("hello", ()), refused);
    // The same while they wait for the link.
    let mut pair = limited(Setup::default()).fresh();
    let calls = [(); 3].map(|()| pair.client.call("hello", ()));
    assert_eq!(pair.client.try_call("hello", ()), refused);
    pair.client.cancel(calls[1]);
    pair.client.call("hello", ());
}

#[test]
fn bodies_and_names() {
    let limited = client_limits(|limits| limits.body_bytes_max = 100);
    let mut pair = limited(Setup::default()).open();
    let refused = pair.client.try_call("hello", ("x".repeat(100),));
    assert!(matches!(refused, Err(CallRefused::BodyTooLarge { max: 100, .. })), "{refused:?}");
    let refused = pair.client.try_call(&"n".repeat(256), ());
    assert_eq!(refused, Err(CallRefused::NameTooLong { size: 256, max: 255 }));
    assert_eq!(pair.client.try_call("", ()), Err(CallRefused::NameEmpty));
    pair.client.call(&"n".repeat(90), ());
    pair.settle();
    assert_eq!(pair.server.work().name.len(), 90);
    assert_eq!(pair.client.stats().calls_made, 1);
}

#[test]
fn a_request_or_an_answer_over_the_limit_is_told_so() {
    at_every_chunk(|setup| {
        let mut pair = setup.with(|setup| setup.server.limits.body_bytes_max = 200).open();
        let request = pair.client.call("store", ("x".repeat(200),));
        let answer = pair.client.call("load", ());
        pair.settle();
        let work = pair.server.work();
        assert_eq!(work.name, "load");
        pair.server.answer(work, "x".repeat(200));
        pair.settle();
        for call in [request, answer] {
            let Ended::Fault(fault) = pair.client.ended(call) else { panic!("no fault") };
            assert_eq!(fault.class, "TooLarge");
        }
        assert_eq!(pair.server.stats().requests_refused, 1);
        assert_at_rest(&pair);
    });
}

#[test]
fn an_answer_that_the_caller_finds_too_large_was_executed() {
    let limited = client_limits(|limits| limits.body_bytes_max = 200);
    at_every_chunk(|setup| {
        let mut pair = limited(setup).open();
        let call = pair.client.call("load", ());
        pair.settle();
        let work = pair.server.work();
        pair.server.answer(work, "x".repeat(200));
        pair.settle();
        assert_eq!(pair.client.ended(call), Ended::Executed(Reason::TooLarge));
        assert_at_rest(&pair);
    });
}

#[test]
fn an_answer_that_no_frame_may_have_ends_its_call_alone() {
    at_every_chunk(|setup| {
        let small = |setup: &mut Setup| setup.client_link.limits.frame_bytes_max = 200;
        let mut pair = setup.with(small).open();
        let calls = ["large", "small"].map(|name| pair.client.call(name, ()));
        pair.settle();
        for text in ["x".repeat(1_000), "x".to_owned()] {
            let work = pair.server.work();
            pair.server.answer(work, text);
        }
        pair.settle();
        assert_eq!(pair.client.ended(calls[0]), Ended::Executed(Reason::TooLarge));
        assert_eq!(pair.client.ended(calls[1]), Ended::Value("x".into()));
        assert!(pair.client.is_connected());
        assert_at_rest(&pair);
    });
}

#[test]
fn a_full_queue_refuses_calls_and_is_emptied_by_reading() {
    const SOFT: usize = 1 << 20;
    let limited = client_limits(|limits| limits.queue_bytes_soft_max = SOFT);
    let mut pair = limited(Setup::default()).open();
    pair.up.stop();
    let body = "x".repeat(64 << 10);
    let refused = loop {
        if let Err(refused) = pair.client.try_call("store", (&body,)) {
            break refused;
        }
    };
    let CallRefused::QueueFull { queued, max: SOFT } = refused else { panic!("{refused:?}") };
    assert!((SOFT..SOFT + (65 << 10)).contains(&queued), "{queued}");
    assert!(pair.client.is_connected(), "refusing is enough");
    pair.up.flow();
    pair.settle();
    pair.client.call("store", (&body,));
}

#[test]
fn calls_that_were_given_up_leave_room_in_the_queue() {
    let limited = client_limits(|limits| limits.queue_bytes_soft_max = 1 << 20);
    let mut pair = limited(Setup::default()).open();
    pair.up.stop();
    let body = "x".repeat(64 << 10);
    for _ in 0..1_000 {
        let call = pair.client.try_call("store", (&body,)).expect("only live calls count");
        pair.client.cancel(call);
    }
    // What was pulled before the pipe was full has a deadline of its own until it is read (S-09).
    pair.up.flow();
    pair.settle();
    for _ in 0..2 {
        let work = pair.server.work();
        pair.server.answer(work, ());
    }
    pair.settle();
    assert_eq!(pair.client.dropped(Dropped::UnknownReply), 2);
    assert_at_rest(&pair);
}

/// A pair whose server has answered that many calls with 64 KiB each, none of which was read.
fn unread(count: usize) -> (Pair, Vec<CallId>) {
    let limits = |setup: &mut Setup| setup.server.limits.queue_bytes_hard_max = 1 << 20;
    let mut pair = Setup::default().with(limits).open();
    pair.down.stop();
    let calls: Vec<_> = (0..count).map(|_| pair.client.call("load", ())).collect();
    pair.settle();
    let body = "x".repeat(64 << 10);
    while let Some(work) = pair.server.next_work() {
        pair.server.answer(work, &body);
    }
    (pair, calls)
}

#[test]
fn a_peer_that_reads_late_loses_the_answers_that_do_not_fit_and_not_its_link() {
    let (mut pair, calls) = unread(40);
    pair.down.flow();
    pair.settle();
    let mut whole = 0;
    for call in calls {
        match pair.client.ended(call) {
            Ended::Value(_) => whole += 1,
            Ended::Fault(fault) => assert_eq!(fault.class, "Overloaded"),
            other => panic!("{other:?}"),
        }
    }
    assert!((16..30).contains(&whole), "{whole}");
    assert_at_rest(&pair);
}

#[test]
fn a_peer_that_never_reads_its_answers_is_closed() {
    let (mut pair, calls) = unread(1_000);
    assert_eq!(pair.server.left(), Some(Reason::SlowPeer));
    assert_eq!(pair.server.stats().requests_open, 0);
    pair.settle();
    for call in calls {
        assert_eq!(pair.client.ended(call), Ended::Unknown(Reason::PeerGone));
    }
    assert_at_rest(&pair);
}

#[test]
fn requests_over_what_one_peer_may_have_open_are_shed() {
    at_every_chunk(|setup| {
        let mut pair =
            setup.with(|setup| setup.server.limits.requests_open_per_peer_max = 2).open();
        let calls = [1, 2, 3].map(|n| pair.client.call("hello", (n,)));
        pair.settle();
        let Ended::Fault(fault) = pair.client.ended(calls[2]) else { panic!("no fault") };
        assert_eq!(fault.class, "Overloaded");
        assert_eq!(pair.server.stats().requests_shed, 1);
        for n in [1, 2] {
            let work = pair.server.work();
            assert_eq!(work.args::<(i32,)>(), (n,));
            pair.server.answer(work, n);
        }
        let again = pair.client.call("hello", (4,));
        pair.settle();
        let work = pair.server.work();
        pair.server.answer(work, 4);
        pair.settle();
        assert_eq!(pair.client.ended(calls[0]), Ended::Value(1.into()));
        assert_eq!(pair.client.ended(again), Ended::Value(4.into()));
        assert_at_rest(&pair);
    });
}

#[test]
fn requests_over_what_all_peers_may_have_open_are_shed() {
    let mut pair = Setup::default().with(|setup| setup.server.limits.requests_open_max = 1).open();
    let [served, shed] = [1, 2].map(|n| pair.client.call("hello", (n,)));
    pair.settle();
    assert_eq!(pair.client.ended(served), Ended::Pending);
    assert!(matches!(pair.client.ended(shed), Ended::Fault(fault) if fault.class == "Overloaded"));
}

/// How many of that many calls with a body of that size are served at once.
fn served(pair: &mut Pair, count: usize, size: usize) -> Vec<Work> {
    let body = "x".repeat(size);
    let calls: Vec<_> = (0..count).map(|_| pair.client.call("store", (&body,))).collect();
    pair.settle();
    let works: Vec<_> = std::iter::from_fn(|| pair.server.next_work()).collect();
    for &call in &calls[works.len()..] {
        let Ended::Fault(fault) = pair.client.ended(call) else { panic!("no fault") };
        assert_eq!(fault.class, "Overloaded");
        assert!(fault.message.contains("bytes of requests"), "{fault:?}");
    }
    works
}

fn bounded(change: impl Fn(&mut Limits)) -> Pair {
    Setup::default().with(|setup| change(&mut setup.server.limits)).open()
}

fn answer_all(pair: &mut Pair, works: Vec<Work>) {
    works.into_iter().for_each(|work| pair.server.answer(work, ()));
    pair.settle();
    assert_at_rest(pair);
}

#[test]
fn bytes_over_what_requests_may_take_are_shed_and_given_back() {
    let per_peer = |limits: &mut Limits| limits.requests_open_bytes_per_peer_max = 100_000;
    let in_all = |limits: &mut Limits| limits.requests_open_bytes_max = 100_000;
    for mut pair in [bounded(per_peer), bounded(in_all)] {
        for round in 1..=3 {
            let works = served(&mut pair, 10, 30_000);
            assert_eq!(works.len(), 3);
            let stats = pair.server.stats();
            assert_eq!((stats.requests_shed, stats.requests_served), (7 * round, 3 * round));
            assert_eq!(stats.requests_open_bytes, works.iter().map(|work| work.size).sum());
            answer_all(&mut pair, works);
        }
    }
}

#[test]
fn a_bound_under_the_size_of_one_body_locks_nobody_out() {
    let small = |limits: &mut Limits| {
        limits.requests_open_bytes_per_peer_max = 1;
        limits.requests_open_bytes_max = 1;
    };
    let mut pair = bounded(small);
    for _ in 0..3 {
        let works = served(&mut pair, 5, 30_000);
        assert_eq!(works.len(), 1);
        answer_all(&mut pair, works);
    }
}

#[test]
fn whoever_takes_all_bytes_keeps_small_requests_of_nobody_out() {
    let mut pair = bounded(|limits| limits.requests_open_bytes_max = 1);
    let mut works = served(&mut pair, 2, 30_000);
    assert_eq!(works.len(), 1);
    let small = served(&mut pair, 5, 4_000);
    assert_eq!(small.len(), 5);
    works.extend(small);
    assert_eq!(served(&mut pair, 1, Limits::REQUEST_BYTES_SMALL).len(), 0);
    answer_all(&mut pair, works);
}

#[test]
fn too_many_bytes_are_refused_before_anything_else_is_looked_at() {
    let mut pair = bounded(|limits| {
        limits.requests_open_bytes_per_peer_max = 1;
        limits.body_bytes_max = 50_000;
    });
    let works = served(&mut pair, 1, 30_000);
    assert_eq!(served(&mut pair, 1, 60_000).len(), 0);
    assert_eq!(pair.server.stats().requests_refused, 0);
    answer_all(&mut pair, works);
}

/// Bytes end with the session and its requests, whatever handlers hold.
#[test]
fn bytes_of_a_peer_that_left_are_given_back() {
    let mut pair = bounded(|limits| limits.requests_open_bytes_per_peer_max = 100_000);
    let works = served(&mut pair, 3, 30_000);
    assert!(pair.server.stats().requests_open_bytes > 90_000);
    pair.client.shutdown();
    pair.settle();
    assert_eq!(pair.server.stats().requests_open_bytes, 0);
    works.into_iter().for_each(|work| pair.server.answer(work, ()));
    assert_at_rest(&pair);
}

/// The caller has given up, but the handler still holds them.
#[test]
fn bytes_behind_the_late_guard_count_until_the_handler_ends() {
    let mut pair = bounded(|limits| limits.requests_open_bytes_per_peer_max = 50_000);
    let works = served(&mut pair, 1, 30_000);
    pair.advance(ms(10_000));
    assert_eq!(pair.server.stats().requests_open_bytes, works[0].size);
    assert_eq!(served(&mut pair, 1, 30_000).len(), 0);
    answer_all(&mut pair, works);
    let works = served(&mut pair, 2, 30_000);
    assert_eq!(works.len(), 1, "they were given back");
    answer_all(&mut pair, works);
}
