//! Links that end, while a call is in any of its stages.

use crate::deadlines::fill;
use crate::{assert_at_rest, at_every_chunk};
use pseud::Reason;
use pseud::proto::{CallId, PeerError};
use pseud_testkit::memory::{Ended, Said, Setup, ms};

#[test]
fn what_was_not_written_whole_was_not_executed() {
    at_every_chunk(|setup| {
        let mut pair = setup.open();
        pair.up.room = 20;
        let begun = pair.client.call("begun", ());
        let pulled = pair.client.call("pulled", ());
        pair.settle();
        fill(&mut pair);
        let queued = pair.client.call("queued", ());
        pair.cut();
        pair.settle();
        for call in [begun, pulled, queued] {
            assert_eq!(pair.client.ended(call), Ended::NotExecuted(Reason::PeerGone));
        }
        assert!(pair.server.next_work().is_none());
        assert_at_rest(&pair);
    });
}

#[test]
fn what_was_sent_may_have_been_executed() {
    at_every_chunk(|setup| {
        let mut pair = setup.latency(ms(10)).open();
        let arrived = pair.client.call("arrived", ());
        pair.advance(ms(10));
        let lost = pair.client.call("lost", ());
        pair.settle();
        pair.cut();
        pair.settle();
        for call in [arrived, lost] {
            assert_eq!(pair.client.ended(call), Ended::Unknown(Reason::PeerGone));
        }
        assert_eq!(pair.server.work().name, "arrived");
        assert!(pair.server.next_work().is_none());
        assert_at_rest(&pair);
    });
}

#[test]
fn an_answer_that_arrived_before_the_end_counts() {
    at_every_chunk(|setup| {
        let mut pair = setup.latency(ms(10)).open();
        let call = pair.client.call("hello", ());
        pair.advance(ms(10));
        let work = pair.server.work();
        pair.server.answer(work, 1);
        pair.advance(ms(10));
        pair.cut();
        pair.settle();
        assert_eq!(pair.client.ended(call), Ended::Value(1.into()));
        assert_at_rest(&pair);
    });
}

#[test]
fn calls_end_before_their_session_does() {
    let mut pair = Setup::default().open();
    let peer = pair.client.channel.peer().expect("a session");
    let calls: Vec<CallId> = (0..3).map(|n| pair.client.call("hello", (n,))).collect();
    pair.settle();
    pair.cut();
    pair.settle();
    let mut said = vec![Said::Joined(peer)];
    said.extend(calls.into_iter().map(Said::Finished));
    said.push(Said::Left(peer, Reason::PeerGone));
    assert_eq!(pair.client.log.said, said);
}

#[test]
fn the_answer_to_a_caller_that_is_gone_goes_nowhere() {
    at_every_chunk(|setup| {
        let mut pair = setup.open();
        pair.client.call("hello", ());
        pair.settle();
        let work = pair.server.work();
        pair.cut();
        pair.settle();
        assert!(pair.server.log.said.contains(&Said::Cancelled(work.id)));
        pair.server.answer(work, ());
        assert_eq!(pair.server.dropped(pseud::proto::pseud::Dropped::CallerGone), 1);
        assert_at_rest(&pair);
    });
}

#[test]
fn a_call_over_a_link_that_is_gone_ends_at_once() {
    let mut pair = Setup::default().open();
    pair.cut();
    pair.settle();
    let call = pair.client.call("hello", ());
    assert_eq!(pair.client.ended(call), Ended::NotExecuted(Reason::NotConnected));
    assert_at_rest(&pair);
}

#[test]
fn silence_ends_the_link_and_its_calls() {
    let mut pair = Setup::default()
        .with(|setup| {
            setup.client_link.heartbeat = Default::default();
            setup.client.call_timeout = ms(60_000);
        })
        .open();
    let call = pair.client.call("hello", ());
    pair.settle();
    pair.down.stop();
    pair.advance(ms(14_999));
    assert_eq!(pair.client.ended(call), Ended::Pending);
    pair.advance(ms(2));
    assert_eq!(pair.client.error, Some(PeerError::HeartbeatTimeout));
    assert_eq!(pair.client.ended(call), Ended::Unknown(Reason::HeartbeatTimeout));
}

#[test]
fn pings_keep_a_silent_link_alive() {
    let mut pair = Setup::default()
        .latency(ms(100))
        .with(|setup| setup.client_link.heartbeat = Default::default())
        .open();
    pair.advance(ms(3_600_000));
    assert!(pair.client.is_connected() && pair.server.is_connected());
}
