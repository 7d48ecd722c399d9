//! Calls that are made before the handshake is over.

use crate::{assert_at_rest, at_every_chunk};
use pseud::Reason;
use pseud::proto::{CallRefused, PeerError};
use pseud_testkit::memory::{Ended, Said, Setup, ms};

#[test]
fn a_call_waits_for_the_handshake_and_then_leaves() {
    at_every_chunk(|setup| {
        let mut pair = setup.latency(ms(30)).fresh();
        let call = pair.client.call("hello", ("early",));
        assert_eq!(pair.client.deadlines(), (1, 0));
        pair.advance(ms(30));
        assert_eq!(pair.server.next_work().map(|work| work.id), None);
        pair.advance(ms(30));
        let work = pair.server.work();
        pair.server.answer(work, "welcome");
        pair.advance(ms(30));
        assert_eq!(pair.client.ended(call), Ended::Value("welcome".into()));
        assert_at_rest(&pair);
    });
}

#[test]
fn a_call_that_nobody_came_for_was_not_executed() {
    let mut pair = Setup::default().fresh();
    pair.up.stop();
    pair.down.stop();
    let patient = pair.client.call("hello", ());
    let hasty = pair.client.call_within(ms(100), "hello");
    pair.advance(ms(99));
    assert_eq!(pair.client.ended(hasty), Ended::Pending);
    pair.advance(ms(1));
    assert_eq!(pair.client.ended(hasty), Ended::NotExecuted(Reason::NotConnected));
    pair.advance(ms(2_000));
    assert_eq!(pair.client.ended(patient), Ended::Pending, "it waits for its own deadline");
    assert_eq!(pair.client.deadlines(), (1, 0));
}

#[test]
fn without_a_server_there_is_nobody_to_wait_for() {
    let mut pair = Setup::default().with(|setup| setup.client.server = None).fresh();
    assert_eq!(pair.client.try_call("hello", ()), Err(CallRefused::NoServer));
    pair.settle();
    pair.client.call("hello", ());
    pair.settle();
    pair.server.work();
}

#[test]
fn calls_end_with_a_link_that_never_was() {
    at_every_chunk(|setup| {
        let mut pair = setup.fresh();
        let early = pair.client.call("hello", ());
        pair.cut();
        pair.settle();
        let Some(error @ PeerError::Misbehaved(_)) = pair.client.error else { panic!("no error") };
        assert_eq!(pair.client.ended(early), Ended::NotExecuted(error.into()));
        let late = pair.client.call("hello", ());
        assert_eq!(pair.client.ended(late), Ended::NotExecuted(error.into()));
        assert_at_rest(&pair);
    });
}

#[test]
fn a_probe_is_seen_and_ignored() {
    at_every_chunk(|setup| {
        let mut pair = setup.with(|setup| setup.client_link.probe = true).open();
        assert_eq!((pair.server.stats().probes, pair.server.stats().dropped_total()), (1, 0));
        let call = pair.client.call("hello", ());
        pair.settle();
        let work = pair.server.work();
        assert_eq!(pair.server.log.said, [Said::Joined(work.peer)]);
        pair.server.answer(work, ());
        pair.settle();
        assert_eq!(pair.client.ended(call), Ended::Value(().into()));
        assert_at_rest(&pair);
    });
}

#[test]
fn a_client_may_announce_a_name_or_be_given_one() {
    for (announced, len) in [("desk", 4), ("", 17)] {
        let identity = bytes::Bytes::from(announced);
        let pair = Setup::default().with(|setup| setup.client_link.identity = identity).open();
        let info = pair.server.log.sessions.values().next().expect("a session");
        assert_eq!(info.identity.len(), len);
        assert!(info.identity.starts_with(announced.as_bytes()));
    }
}
