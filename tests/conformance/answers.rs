//! Answers that nobody asked for: dropped, counted, and without consequence.

use pseud::proto::pseud::{Dropped, Stats};
use pseud::proto::zmtp::{Connection, Side};
use pseud::proto::{CallOptions, To};
use pseud::{Fault, Reason};
use pseud_testkit::memory::{CHUNKS, Clock, Ended, Node, Setup, Stranger, Talker, Wire, settle};

const OK: u8 = 0x01;
const WORK: u8 = 0x03;
const AUTHENTICATED: u8 = 0x04;
const ERROR: u8 = 0x10;
const UNAUTHORIZED: u8 = 0x11;
/// The msgpack of 1 and of 2.
const ONE: &[u8] = &[1];
const TWO: &[u8] = &[2];

/// A client with one call, and the id by which the stranger knows it.
fn asked(chunk: usize) -> (Wire<Talker, Stranger>, pseud::proto::CallId, Vec<u8>) {
    let mut wire = Setup::default().chunk(chunk).with_stranger();
    let call = wire.client.call("hello", ());
    wire.settle();
    let (kind, id, body) = wire.server.hear();
    assert_eq!((kind, &body[..]), (WORK, &b"\x93\xa5hello\x90\x80"[..]));
    (wire, call, id)
}

#[test]
fn a_second_answer_is_dropped() {
    for chunk in CHUNKS {
        let (mut wire, call, id) = asked(chunk);
        wire.server.say(OK, &id, ONE);
        wire.server.say(OK, &id, TWO);
        wire.server.say(ERROR, &id, b"\x93\xa1E\xa1m\xc0");
        wire.settle();
        assert_eq!(wire.client.ended(call), Ended::Value(1.into()));
        assert_eq!(wire.client.dropped(Dropped::UnknownReply), 2);
        assert!(wire.client.is_connected());
    }
}

#[test]
fn an_answer_with_another_id_is_dropped() {
    for chunk in CHUNKS {
        let (mut wire, call, id) = asked(chunk);
        for at in 0..id.len() {
            let mut near = id.clone();
            near[at] ^= 1;
            wire.server.say(OK, &near, ONE);
        }
        for odd in [&id[..15], &[], &[0; 64], &[id.clone(), vec![0]].concat()] {
            wire.server.say(OK, odd, ONE);
        }
        wire.settle();
        assert_eq!(wire.client.ended(call), Ended::Pending);
        assert_eq!(wire.client.dropped(Dropped::UnknownReply), 20);
        wire.server.say(OK, &id, TWO);
        wire.settle();
        assert_eq!(wire.client.ended(call), Ended::Value(2.into()));
    }
}

#[test]
fn an_answer_to_a_call_whose_slot_has_a_new_tenant_is_dropped() {
    let (mut wire, first, old_id) = asked(7);
    wire.client.cancel(first);
    let second = wire.client.call("hello", ());
    assert_eq!(first.slot(), second.slot());
    wire.server.say(OK, &old_id, ONE);
    wire.settle();
    assert_eq!(wire.client.ended(second), Ended::Pending);
    assert_eq!(wire.client.dropped(Dropped::UnknownReply), 1);
}

#[test]
fn what_is_no_message_of_ours_is_dropped() {
    for chunk in CHUNKS {
        let (mut wire, call, id) = asked(chunk);
        wire.server.send(&[b"x", b"v1", &id, &[OK], ONE]);
        wire.server.send(&[b"", b"v2", &id, &[OK], ONE]);
        wire.server.send(&[b"", b"v1", &id, &[0x7f], ONE]);
        wire.server.send(&[b"", b"v1", &[0; 65], &[OK], ONE]);
        wire.server.send(&[b"", b"v1"]);
        wire.server.say(AUTHENTICATED, &id, b"");
        wire.settle();
        let stats: Stats = wire.client.stats();
        for cause in [
            Dropped::Delimiter,
            Dropped::Version,
            Dropped::Kind,
            Dropped::Id,
            Dropped::BadEnvelope,
            Dropped::Unsolicited,
        ] {
            assert_eq!(stats.dropped(cause), 1, "{cause:?}");
        }
        assert_eq!(stats.dropped_total(), 6);
        assert_eq!(wire.client.ended(call), Ended::Pending);
        assert!(wire.client.is_connected());
    }
}

#[test]
fn a_refusal_for_want_of_a_login_is_an_outcome() {
    for chunk in CHUNKS {
        let (mut wire, call, id) = asked(chunk);
        wire.server.say(UNAUTHORIZED, &id, b"");
        wire.server.say(UNAUTHORIZED, &id, b"");
        wire.settle();
        assert_eq!(wire.client.ended(call), Ended::NotExecuted(Reason::Unauthorized));
        assert_eq!(wire.client.dropped(Dropped::UnknownReply), 1);
    }
}

#[test]
fn an_answer_that_is_not_msgpack_is_a_bad_reply() {
    let (mut wire, call, id) = asked(3);
    wire.server.say(OK, &id, &[0xc1]);
    wire.settle();
    assert_eq!(wire.client.ended(call), Ended::Executed(Reason::BadReply));
    let call = wire.client.call("hello", ());
    wire.settle();
    let (_, id, _) = wire.server.hear();
    wire.server.say(ERROR, &id, b"no fault at all");
    wire.settle();
    assert!(matches!(wire.client.ended(call), Ended::Fault(Fault { class, .. }) if class == "?"));
}

#[test]
fn an_answer_is_believed_only_from_whom_it_was_asked() {
    for chunk in CHUNKS {
        let setup = Setup::default().chunk(chunk);
        let clock = Clock::new();
        let node = setup.node(&clock);
        let mut wires = ["desk", "thief"].map(|name| {
            let mut link = setup.client_link.clone();
            link.identity = name.into();
            let connection = Connection::new(link.into(), Side::Connecting, [3; 32], clock.now());
            let stranger = Stranger::new(connection, clock.clone());
            setup.wire(stranger, Node::open(&node, Side::Accepting), clock.clone())
        });
        settle(&mut wires);
        let to = To::Identity("desk".into());
        let call = node.borrow_mut().call(to, "secret", (), CallOptions::default());
        let call = call.expect("room");
        settle(&mut wires);
        let (_, id, _) = wires[0].client.hear();
        wires[1].client.say(OK, &id, ONE);
        settle(&mut wires);
        assert_eq!(node.borrow().ended(call), Ended::Pending);
        assert_eq!(node.borrow().endpoint.stats().dropped(Dropped::UnknownReply), 1);
        wires[0].client.say(OK, &id, TWO);
        settle(&mut wires);
        assert_eq!(node.borrow().ended(call), Ended::Value(2.into()));
    }
}
