//! A peer whose socket is a REQ: it only asks.

use crate::at_every_chunk;
use pseud::proto::zmtp::{Side, SocketType};
use pseud::proto::{CallOptions, To};
use pseud::{Reason, User};
use pseud_testkit::memory::{Clock, Ended, Node, Setup};

fn req(setup: &mut Setup) {
    setup.client_link.socket_type = SocketType::Req;
}

#[test]
fn a_req_is_not_probed_and_the_others_are() {
    at_every_chunk(|setup| {
        for (socket_type, probes) in
            [(SocketType::Req, 0), (SocketType::Router, 1), (SocketType::Dealer, 1)]
        {
            let probing = |setup: &mut Setup| {
                setup.client_link.socket_type = socket_type;
                setup.server_link.probe = true;
            };
            let pair = setup.clone().with(probing).open();
            assert_eq!(pair.client.stats().probes, probes, "{socket_type:?}");
        }
    });
}

/// Whatever reached it would be taken for the answer that it waits for.
#[test]
fn a_call_to_a_req_ends_at_once_and_its_own_are_served() {
    at_every_chunk(|setup| {
        let mut pair = setup.with(req).open();
        let call = pair.server.call("name", ());
        assert_eq!(pair.server.ended(call), Ended::NotExecuted(Reason::TakesNoCalls));
        pair.settle();
        assert!(pair.client.log.requests.is_empty());
        let call = pair.client.call("hello", ());
        pair.settle();
        let work = pair.server.work();
        pair.server.answer(work, "Hello");
        pair.settle();
        assert_eq!(pair.client.ended(call), Ended::Value("Hello".into()));
        assert_eq!(pair.server.stats().calls_pending, 0);
    });
}

/// By its name, by its session, and where the call was there first.
#[test]
fn a_req_cannot_be_called_in_any_way() {
    let node = Setup::default().node(&Clock::new());
    let call = |to| node.borrow_mut().call(to, "name", (), CallOptions::default()).expect("room");
    let parked = call(To::Identity("desk".into()));
    let wire = Setup::default().with(req).join(&Node::open(&node, Side::Accepting), "desk");
    let refused = Ended::NotExecuted(Reason::TakesNoCalls);
    assert_eq!(node.borrow().ended(parked), refused, "who waited for it hears so");
    let session = wire.server.peer().expect("a session");
    for to in [To::Identity("desk".into()), To::Peer(session)] {
        let called = call(to);
        assert_eq!(node.borrow().ended(called), refused);
    }
}

/// A user who asks by one socket and is called by another.
#[test]
fn of_a_users_sessions_one_that_can_be_called_is_meant() {
    let setup = Setup::default().known();
    let node = setup.node(&Clock::new());
    let users = ["desk", "asks"].map(|name| (name.into(), User::new("alice")));
    node.borrow_mut().users.extend(users);
    let mut desk = setup.clone().join(&Node::open(&node, Side::Accepting), "desk");
    let _asks = setup.with(req).join(&Node::open(&node, Side::Accepting), "asks");
    for several in [pseud::proto::Several::Newest, pseud::proto::Several::Refuse] {
        let to = To::User { id: "alice".into(), several };
        let call = node.borrow_mut().call(to, "name", (), CallOptions::default()).expect("room");
        desk.settle();
        let work = desk.client.work();
        desk.client.answer(work, "desk");
        desk.settle();
        assert_eq!(node.borrow().ended(call), Ended::Value("desk".into()));
    }
}
