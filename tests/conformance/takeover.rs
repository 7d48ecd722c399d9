//! The newest link of an identity takes it over.

use pseud::Reason;
use pseud::proto::pseud::Dropped;
use pseud::proto::zmtp::Side;
use pseud::proto::{CallOptions, PeerId, To};
use pseud_testkit::memory::{CHUNKS, Clock, Ended, Node, Port, Said, Setup, Talker, Wire, settle};
use std::cell::RefCell;
use std::rc::Rc;

fn server(chunk: usize) -> (Rc<RefCell<Node>>, Wire<Talker, Port>) {
    let setup = Setup::default().chunk(chunk);
    let node = setup.node(&Clock::new());
    let old = setup.join(&Node::open(&node, Side::Accepting), "desk");
    (node, old)
}

fn rejoin(
    node: &Rc<RefCell<Node>>,
    old: Wire<Talker, Port>,
    chunk: usize,
) -> [Wire<Talker, Port>; 2] {
    let new = Setup::default().chunk(chunk).join(&Node::open(node, Side::Accepting), "desk");
    let mut wires = [old, new];
    settle(&mut wires);
    wires
}

#[test]
fn the_old_session_leaves_before_the_new_one_joins() {
    for chunk in CHUNKS {
        let (node, old) = server(chunk);
        let before = old.server.peer().expect("a session");
        let [old, new] = rejoin(&node, old, chunk);
        let after = new.server.peer().expect("a session");
        assert_eq!(
            node.borrow().log.said,
            [
                Said::Joined(before),
                Said::Left(before, Reason::Replaced),
                Said::Closed(before, Reason::Replaced),
                Said::Joined(after),
            ]
        );
        assert!(!old.client.is_connected(), "its link was closed");
        assert_eq!(node.borrow().endpoint.peer_named(b"desk"), Some(after));
    }
}

#[test]
fn the_answer_to_the_old_sessions_request_goes_nowhere() {
    for chunk in CHUNKS {
        let (node, mut old) = server(chunk);
        let call = old.client.call("hello", ());
        old.settle();
        let work = node.borrow_mut().work();
        let mut wires = rejoin(&node, old, chunk);
        assert!(node.borrow().log.said.contains(&Said::Cancelled(work.id)));
        node.borrow_mut().answer(work, "for the old one");
        settle(&mut wires);
        assert_eq!(node.borrow().endpoint.stats().dropped(Dropped::CallerGone), 1);
        assert_eq!(wires[0].client.ended(call), Ended::Unknown(Reason::PeerGone));
        assert_eq!(wires[1].client.stats().dropped_total(), 0);
    }
}

#[test]
fn calls_to_the_old_session_end_and_the_name_means_the_new_one() {
    let (node, mut old) = server(64);
    let desk = || To::Identity("desk".into());
    let call = |to| node.borrow_mut().call(to, "name", (), CallOptions::default()).expect("room");
    let before = old.server.peer().expect("a session");
    let sent = call(desk());
    old.settle();
    old.down.stop();
    // Its bytes are in the hands of a driver that may be writing them.
    let pulled = call(desk());
    let mut wires = rejoin(&node, old, 64);
    for lost in [sent, pulled] {
        let ended = node.borrow().ended(lost);
        assert_eq!(ended, Ended::Unknown(Reason::Replaced));
    }
    let (by_name, by_session) = (call(desk()), call(To::Peer(before)));
    settle(&mut wires);
    let work = wires[1].client.work();
    wires[1].client.answer(work, "Charly");
    settle(&mut wires);
    assert_eq!(node.borrow().ended(by_name), Ended::Value("Charly".into()));
    assert_eq!(node.borrow().ended(by_session), Ended::NotExecuted(Reason::PeerGone));
}

#[test]
fn a_name_that_nobody_holds_is_waited_for() {
    let setup = Setup::default();
    let clock = Clock::new();
    let node = setup.node(&clock);
    let call = |name: &'static str| {
        let to = To::Identity(name.into());
        node.borrow_mut().call(to, "name", (), CallOptions::default()).expect("room")
    };
    let (desk, nobody) = (call("desk"), call("nobody"));
    assert_eq!(
        node.borrow().endpoint.poll_timeout(),
        Some(clock.now() + pseud_testkit::memory::ms(400))
    );
    let mut wire = setup.join(&Node::open(&node, Side::Accepting), "desk");
    let work = wire.client.work();
    wire.client.answer(work, "Charly");
    wire.settle();
    assert_eq!(node.borrow().ended(desk), Ended::Value("Charly".into()));
    wire.advance(pseud_testkit::memory::ms(399));
    assert_eq!(node.borrow().ended(nobody), Ended::Pending);
    wire.advance(pseud_testkit::memory::ms(1));
    assert_eq!(node.borrow().ended(nobody), Ended::NotExecuted(Reason::NotConnected));
}

#[test]
fn two_clients_do_not_hear_of_each_other() {
    let (node, mut desk) = server(7);
    let mut lamp = Setup::default().join(&Node::open(&node, Side::Accepting), "lamp");
    let calls = [desk.client.call("who", ()), lamp.client.call("who", ())];
    let mut wires = [desk, lamp];
    settle(&mut wires);
    let works: Vec<_> = std::iter::from_fn(|| node.borrow_mut().next_work()).collect();
    for work in works.into_iter().rev() {
        let identity = identity(&node, work.peer);
        node.borrow_mut().answer(work, identity);
    }
    settle(&mut wires);
    for ((wire, call), name) in wires.iter().zip(calls).zip(["desk", "lamp"]) {
        assert_eq!(wire.client.ended(call), Ended::Value(name.into()));
    }
}

fn identity(node: &Rc<RefCell<Node>>, peer: PeerId) -> String {
    let node = node.borrow();
    let info = node.endpoint.peer_info(peer).expect("a session");
    String::from_utf8_lossy(&info.identity).into_owned()
}
