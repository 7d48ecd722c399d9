//! Calls given up by their caller, in every stage.

use crate::deadlines::fill;
use crate::{assert_at_rest, at_every_chunk};
use pseud::Reason;
use pseud::proto::pseud::Dropped;
use pseud::proto::{CallOptions, To};
use pseud_testkit::memory::{Clock, Ended, Node, Setup, ms};

#[test]
fn parked() {
    let mut pair = Setup::default().fresh();
    let call = pair.client.call("hello", ());
    pair.client.cancel(call);
    assert_eq!(pair.client.ended(call), Ended::NotExecuted(Reason::Cancelled));
    pair.settle();
    assert_eq!(pair.server.next_work().map(|work| work.name), None);
    assert_at_rest(&pair);
}

#[test]
fn queued() {
    at_every_chunk(|setup| {
        let mut pair = setup.open();
        fill(&mut pair);
        let call = pair.client.call("hello", ());
        pair.client.cancel(call);
        assert_eq!(pair.client.ended(call), Ended::NotExecuted(Reason::Cancelled));
        pair.up.flow();
        pair.settle();
        assert_eq!(pair.server.work().name, "fill");
        assert_eq!(pair.server.next_work().map(|work| work.name), None);
    });
}

#[test]
fn pulled() {
    at_every_chunk(|setup| {
        let mut pair = setup.open();
        pair.up.room = 10;
        let call = pair.client.call("hello", ());
        pair.settle();
        pair.client.cancel(call);
        assert_eq!(pair.client.ended(call), Ended::Unknown(Reason::Cancelled));
        pair.up.flow();
        pair.settle();
        assert_eq!(pair.server.work().name, "hello", "what was begun is finished");
    });
}

#[test]
fn sent() {
    at_every_chunk(|setup| {
        let mut pair = setup.open();
        let call = pair.client.call("hello", ());
        pair.settle();
        pair.client.cancel(call);
        assert_eq!(pair.client.ended(call), Ended::Unknown(Reason::Cancelled));
        let work = pair.server.work();
        pair.server.answer(work, ());
        pair.settle();
        assert_eq!(pair.client.dropped(Dropped::UnknownReply), 1);
        assert_at_rest(&pair);
    });
}

#[test]
fn over() {
    let mut pair = Setup::default().open();
    let call = pair.client.call("hello", ());
    pair.settle();
    let work = pair.server.work();
    pair.server.answer(work, ());
    pair.settle();
    pair.client.cancel(call);
    pair.client.cancel(call);
    assert_eq!(pair.client.ended(call), Ended::Value(().into()));
    assert_at_rest(&pair);
}

/// An endpoint that parks and gives up calls under ever new names keeps none of them.
#[test]
fn parked_under_many_names() {
    let setup = Setup::default();
    let clock = Clock::new();
    let node = setup.node(&clock);
    let mut calls = Vec::new();
    for n in 0..10_000 {
        let to = To::Identity(format!("nobody {n}").into());
        let mut node = node.borrow_mut();
        calls.push(node.call(to, "hello", (), CallOptions::default()).expect("room"));
        if n % 10 != 0 {
            node.cancel(calls.pop().expect("a call"));
        }
    }
    clock.move_to(clock.now() + ms(400));
    node.borrow_mut().timeout();
    for call in calls {
        let ended = node.borrow().ended(call);
        assert_eq!(ended, Ended::NotExecuted(Reason::NotConnected));
    }
    assert_eq!(node.borrow().endpoint.poll_timeout(), None);
    // Who takes such a name later gets no old call.
    let port = Node::open(&node, pseud::proto::zmtp::Side::Accepting);
    let mut wire = Setup::default().join(&port, "nobody 10");
    wire.settle();
    assert!(wire.client.next_work().is_none());
}
