//! One side ends everything.

use crate::deadlines::fill;
use crate::{assert_at_rest, at_every_chunk};
use pseud::{Executed, Reason};
use pseud_testkit::memory::{Ended, Said, Setup};

const NO: Ended = Ended::Closed(Executed::No);
const MAYBE: Ended = Ended::Closed(Executed::Maybe);

#[test]
fn calls_end_as_closed_and_say_whether_they_had_left() {
    at_every_chunk(|setup| {
        let mut pair = setup.open();
        let sent = pair.client.call("sent", ());
        pair.settle();
        pair.up.stop();
        let pulled = pair.client.call("pulled", ());
        fill(&mut pair);
        let queued = pair.client.call("queued", ());
        pair.client.shutdown();
        assert_eq!([sent, pulled, queued].map(|call| pair.client.ended(call)), [MAYBE, MAYBE, NO]);
        assert_eq!(pair.client.left(), Some(Reason::Shutdown));
        pair.up.flow();
        pair.settle();
        assert_eq!(pair.server.work().name, "sent");
        assert!(pair.server.next_work().is_none(), "nothing leaves after the end");
        assert!(!pair.server.is_connected());
        assert_at_rest(&pair);
    });
}

#[test]
fn parked_calls_and_later_ones_never_left() {
    let mut pair = Setup::default().fresh();
    let parked = pair.client.call("hello", ());
    pair.client.shutdown();
    let later = pair.client.call("hello", ());
    assert_eq!([parked, later].map(|call| pair.client.ended(call)), [NO, NO]);
    assert_eq!(pair.client.deadlines(), (0, 0));
}

#[test]
fn a_session_that_begins_afterwards_ends_at_once() {
    let mut pair = Setup::default().fresh();
    pair.server.shutdown();
    let call = pair.client.call("hello", ());
    pair.settle();
    let [Said::Joined(peer), Said::Left(left, Reason::Shutdown), Said::Closed(..)] =
        pair.server.log.said[..]
    else {
        panic!("{:?}", pair.server.log.said)
    };
    assert_eq!(peer, left);
    assert!(pair.server.next_work().is_none());
    assert_eq!(pair.client.ended(call), Ended::Unknown(Reason::PeerGone));
    assert_at_rest(&pair);
}

#[test]
fn requests_are_cancelled_and_their_answers_go_nowhere() {
    at_every_chunk(|setup| {
        let mut pair = setup.open();
        let call = pair.client.call("hello", ());
        pair.settle();
        let work = pair.server.work();
        pair.server.shutdown();
        assert!(pair.server.log.said.contains(&Said::Cancelled(work.id)));
        pair.server.answer(work, ());
        pair.settle();
        assert_eq!(pair.client.ended(call), Ended::Unknown(Reason::PeerGone));
        assert_at_rest(&pair);
    });
}

#[test]
fn it_may_be_said_twice() {
    let mut pair = Setup::default().open();
    pair.client.shutdown();
    pair.client.shutdown();
    pair.settle();
    assert_at_rest(&pair);
}
