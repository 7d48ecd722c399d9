//! A Python caller gives up after 5 s, and its reader dies of an answer that comes later.

use crate::support::{Ended, Setup, ms};
use crate::{assert_at_rest, at_every_chunk};
use pseud::Reason;
use pseud::proto::Malformed;
use pseud::proto::pseud::Dropped;
use std::time::Duration;

const GUARD: u64 = 4_500;

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
        setup.server.late_guard = Duration::MAX;
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
