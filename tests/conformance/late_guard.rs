//! A Python caller gives up after 5 s, and its reader dies of an answer that comes later.

use crate::{assert_at_rest, at_every_chunk};
use pseud::proto::Malformed;
use pseud::proto::pseud::Dropped;
use pseud::proto::zmtp::{Side, SocketType};
use pseud::{LateGuard, Reason};
use pseud_testkit::memory::{Clock, Ended, Node, Said, Setup, Talker, ms};
use std::time::Duration;

const GUARD: u64 = 4_500;

/// What was called whose answers were withheld.
fn withheld(side: &Talker) -> Vec<&str> {
    let names = side.log.said.iter().filter_map(|said| match said {
        Said::Withheld(name) => Some(&**name),
        _ => None,
    });
    names.collect()
}

#[test]
fn an_answer_within_the_guard_leaves() {
    at_every_chunk(|setup| {
        let mut pair = setup.open();
        let call = pair.client.call("slow", ());
        pair.settle();
        let work = pair.server.work();
        pair.advance(ms(GUARD - 1));
        pair.server.answer(work, "in time");
        pair.settle();
        assert_eq!(pair.client.ended(call), Ended::Value("in time".into()));
        assert_at_rest(&pair);
    });
}

#[test]
fn a_late_answer_is_dropped_and_the_link_lives() {
    at_every_chunk(|setup| {
        let mut pair = setup.open();
        let call = pair.client.call("slow", ());
        pair.settle();
        let work = pair.server.work();
        pair.advance(ms(GUARD));
        assert_eq!(pair.server.deadlines(), (0, 0), "the guard is over, the handler is not");
        assert_eq!(pair.server.stats().requests_open, 1);
        assert_eq!(pair.server.channel.poll_timeout(), None);
        pair.server.answer(work, "too late");
        assert_eq!(pair.server.dropped(Dropped::LateReply), 1);
        assert_eq!(withheld(&pair.server), ["slow"]);
        pair.advance(ms(500));
        assert_eq!(pair.client.ended(call), Ended::Unknown(Reason::TimedOut));
        assert_eq!(pair.client.stats().dropped_total(), 0, "nothing late arrived");
        assert!(pair.client.is_connected() && pair.server.is_connected());
        assert_at_rest(&pair);
    });
}

/// The moment counts, not whether the timer fired.
#[test]
fn an_answer_at_the_guards_own_moment_is_late() {
    let mut pair = Setup::default().open();
    pair.client.call("slow", ());
    pair.settle();
    let work = pair.server.work();
    pair.clock.move_to(pair.clock.now() + ms(GUARD));
    pair.server.answer(work, "too late");
    assert_eq!(pair.server.dropped(Dropped::LateReply), 1);
    assert_eq!(pair.server.stats().requests_open, 0);
}

#[test]
fn an_answer_in_the_queue_at_its_guard_never_leaves() {
    at_every_chunk(|setup| {
        let mut pair = setup.open();
        let calls = ["a", "b"].map(|name| pair.client.call(name, ()));
        pair.settle();
        pair.advance(ms(1_000));
        pair.client.call("fill", ());
        pair.settle();
        let [a, b, fill] = [(); 3].map(|()| pair.server.work());
        pair.down.stop();
        // Its own guard is a second later than theirs: what fills the link stays.
        pair.server.answer(fill, "x".repeat(pseud::proto::pseud::BACKLOG_BYTES_LOW));
        pair.server.answer(a, 1);
        pair.server.answer(b, 2);
        assert_eq!(pair.server.deadlines(), (0, 3));
        pair.advance(ms(GUARD - 1_000));
        assert_eq!(pair.server.dropped(Dropped::LateReply), 2);
        assert_eq!(withheld(&pair.server), ["a", "b"]);
        assert_eq!(pair.server.deadlines(), (0, 1));
        pair.down.flow();
        pair.advance(ms(500));
        assert!(
            calls
                .iter()
                .all(|&call| { pair.client.ended(call) == Ended::Unknown(Reason::TimedOut) })
        );
        assert!(pair.client.is_connected());
        assert_eq!(pair.client.stats().dropped_total(), 0);
        assert_at_rest(&pair);
    });
}

#[test]
fn an_answer_half_written_at_its_guard_closes_the_link_and_is_not_finished() {
    at_every_chunk(|setup| {
        let mut pair = setup.open();
        let call = pair.client.call("slow", ());
        let other = pair.server.call("other", ());
        pair.settle();
        pair.down.room = 5;
        let work = pair.server.work();
        pair.server.answer(work, "half");
        pair.settle();
        pair.advance(ms(GUARD));
        assert_eq!(pair.server.left(), Some(Reason::LateReply));
        assert_eq!(withheld(&pair.server), ["slow"]);
        assert_eq!(pair.server.ended(other), Ended::Unknown(Reason::LateReply));
        pair.down.flow();
        pair.settle();
        assert_eq!(
            pair.client.ended(call),
            Ended::Unknown(Reason::PeerFault(Malformed::Truncated.into()))
        );
        assert!(!pair.client.is_connected());
        assert_at_rest(&pair);
    });
}

#[test]
fn settings_without_end_are_as_good_as_a_year() {
    let endless = |setup: &mut Setup| {
        setup.server.late_guard = Duration::MAX.into();
        setup.client.unroutable_timeout = Duration::MAX;
        setup.client.call_timeout = Duration::MAX;
    };
    let mut pair = Setup::default().with(endless).open();
    let call = pair.client.call("slow", ());
    pair.settle();
    let work = pair.server.work();
    pair.advance(ms(GUARD));
    pair.server.answer(work, "in time");
    pair.settle();
    assert_eq!(pair.client.ended(call), Ended::Value("in time".into()));
}

#[test]
fn without_a_guard_an_answer_leaves_however_late() {
    at_every_chunk(|setup| {
        let mut pair = setup.with(|setup| setup.server.late_guard = LateGuard::Off).open();
        let call = pair.client.call_within(ms(60_000), "slow");
        pair.settle();
        assert_eq!(pair.server.deadlines(), (0, 0), "no guard");
        let work = pair.server.work();
        pair.advance(ms(50_000));
        pair.server.answer(work, "at last");
        pair.settle();
        assert_eq!(pair.client.ended(call), Ended::Value("at last".into()));
        assert_eq!(pair.server.stats().dropped_total(), 0);
        assert_at_rest(&pair);
    });
}

/// What its socket does with a late answer, not what it declared, is why.
#[test]
fn a_req_has_no_guard_and_the_others_do() {
    for (socket_type, is_sent) in
        [(SocketType::Req, true), (SocketType::Router, false), (SocketType::Dealer, false)]
    {
        let is = |setup: &mut Setup| setup.client_link.socket_type = socket_type;
        let mut pair = Setup::default().with(is).open();
        let call = pair.client.call_within(ms(60_000), "slow");
        pair.settle();
        let work = pair.server.work();
        pair.advance(ms(2 * GUARD));
        pair.server.answer(work, "late");
        pair.settle();
        let ended = if is_sent { Ended::Value("late".into()) } else { Ended::Pending };
        assert_eq!(pair.client.ended(call), ended, "{socket_type:?}");
        assert_eq!(withheld(&pair.server).is_empty(), is_sent, "{socket_type:?}");
    }
}

/// A link may have a guard of its own, longer or shorter than its node's.
#[test]
fn each_link_has_the_guard_of_its_listener() {
    let (setup, clock) = (Setup::default(), Clock::new());
    let node = setup.node(&clock);
    let guards = [None, Some(LateGuard::Off), Some(ms(1_000).into()), Some(ms(9_000).into())];
    let mut wires = guards.map(|guard| {
        node.borrow_mut().late_guard = guard;
        Setup::default().join(&Node::open(&node, Side::Accepting), "")
    });
    let calls = wires.each_mut().map(|wire| {
        let call = wire.client.call_within(ms(60_000), "slow");
        wire.settle();
        (call, node.borrow_mut().work())
    });
    clock.move_to(clock.now() + ms(GUARD));
    let ended = calls.map(|(call, work)| {
        node.borrow_mut().answer(work, "late");
        call
    });
    wires.iter_mut().for_each(|wire| wire.settle());
    let sent = wires.iter().zip(ended).map(|(wire, call)| wire.client.ended(call));
    let late = || Ended::Value("late".into());
    assert_eq!(sent.collect::<Vec<_>>(), [Ended::Pending, late(), Ended::Pending, late()]);
}
