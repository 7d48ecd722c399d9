//! For whom a call is made, and how far it has come: told to those who read it, checked by who serves.

use crate::{assert_at_rest, at_every_chunk};
use pseud::Reason;
use pseud::proto::{CallId, CallOptions, CallRefused, Capabilities};
use pseud_testkit::memory::{Ended, Pair, Setup, Work};

const WORK: u8 = 0x03;
const ERROR: u8 = 0x10;

fn options() -> CallOptions {
    CallOptions::default()
}

#[test]
fn hops_travel_to_those_who_read_them() {
    at_every_chunk(|setup| {
        for (setup, hops) in [(setup.clone().declared(), 3), (setup, 0)] {
            let mut pair = setup.open();
            let call = pair.client.call_with("hello", (1,), options().hops(3)).unwrap();
            pair.settle();
            let work = pair.server.work();
            assert_eq!((work.args::<(i32,)>(), work.provenance.hops), ((1,), hops));
            assert!(!work.provenance.is_forwarded);
            pair.server.answer(work, ());
            pair.settle();
            assert_eq!(pair.client.ended(call), Ended::Value(().into()));
            assert_at_rest(&pair);
        }
    });
}

/// What a stranger hears of a call with those options, having declared nothing.
#[test]
fn a_v1_peer_hears_three_items() {
    let mut wire = Setup::default().declared().with_stranger();
    wire.client.call_with("hello", (), options().hops(3)).unwrap();
    wire.settle();
    let (kind, _, body) = wire.server.hear();
    assert_eq!((kind, &body[..]), (WORK, &b"\x93\xa5hello\x90\x80"[..]));
}

#[test]
fn a_call_in_another_name_is_not_made_where_that_would_not_be_read() {
    at_every_chunk(|setup| {
        let mut pair = setup.clone().open();
        let call = pair.client.call_with("hello", (), options().origin("alice")).unwrap();
        pair.settle();
        assert_eq!(pair.client.ended(call), Ended::NotExecuted(Reason::Unsupported));
        assert!(pair.server.next_work().is_none());
        assert_at_rest(&pair);
        // The same for one that waited for its link.
        let mut pair = setup.fresh();
        let call = pair.client.call_with("hello", (), options().origin("alice")).unwrap();
        pair.settle();
        assert_eq!(pair.client.ended(call), Ended::NotExecuted(Reason::Unsupported));
        assert!(pair.server.next_work().is_none());
    });
}

#[test]
fn m_05_nobody_forwards_who_was_not_given_that() {
    at_every_chunk(|setup| {
        let mut pair = setup.declared().open();
        let forged = pair.client.call_with("hello", (), options().origin("root")).unwrap();
        let own = pair.client.call_with("hello", (), options().origin("")).unwrap();
        pair.settle();
        let work = pair.server.work();
        assert!(work.provenance.user.is_anonymous() && !work.provenance.is_forwarded);
        pair.server.answer(work, 1);
        assert!(pair.server.next_work().is_none());
        pair.settle();
        assert_eq!(pair.client.ended(forged), Ended::NotExecuted(Reason::Unauthorized));
        assert_eq!(pair.client.ended(own), Ended::Value(1.into()), "its own name is no other's");
        assert_at_rest(&pair);
    });
}

#[test]
fn what_is_too_much_is_refused_at_once() {
    let mut pair = Setup::default().declared().open();
    let far = pair.client.call_with("hello", (), options().hops(33));
    assert_eq!(far, Err(CallRefused::TooManyHops { max: 32 }));
    let long = pair.client.call_with("hello", (), options().origin(vec![b'x'; 1_001]));
    assert_eq!(long, Err(CallRefused::OriginTooLong { size: 1_001, max: 1_000 }));
    assert_eq!(pair.client.stats().calls_made, 0);
}

/// A stranger calls a side that reads provenance; what it is answered.
fn answered(ours: Capabilities, item: &[u8]) -> (u8, Vec<u8>) {
    let declared = |setup: &mut Setup| setup.client.capabilities = ours;
    let mut wire = Setup::default().with(declared).with_stranger();
    wire.server.say(WORK, b"1", &[b"\x94\xa1x\x91\x07\x80", item].concat());
    wire.settle();
    if let Some(work) = wire.client.next_work() {
        assert_eq!(work.args::<(i32,)>(), (7,));
        wire.client.answer(work, 1);
    }
    wire.settle();
    let (kind, _, body) = wire.server.hear();
    assert_eq!(wire.client.stats().requests_open, 0);
    (kind, body)
}

#[test]
fn a_fourth_item_is_taken_by_who_declared_it_and_has_to_make_sense() {
    for good in [&b"\x80"[..], b"\x81\xa1h\x20", b"\x82\xa1x\x91\x80\xa1u\xc4\x00", b"\x81\x01\x02"]
    {
        assert_eq!(answered(Capabilities::PROVENANCE, good), (1, vec![1]), "{good:x?}");
    }
    let large = [&b"\x81\xa1x\xc5\x04\x00"[..], &[0; 1_024]].concat();
    for odd in [&b""[..], b"\xc0", b"\x81\xa1h", b"\x80\x80", b"\x81\xa1u\x01", &large] {
        let (kind, body) = answered(Capabilities::PROVENANCE, odd);
        assert!(kind == ERROR && body.starts_with(b"\x93\xa9TypeError"), "{odd:x?} {body:x?}");
    }
    let (kind, body) = answered(Capabilities::ALL, b"\x81\xa1h\x21");
    assert!(kind == ERROR && body.starts_with(b"\x93\xabTooManyHops"), "{body:x?}");
    let (kind, body) = answered(Capabilities::ALL, b"\x81\xa1u\xc4\x04root");
    assert!(kind == ERROR && body.starts_with(b"\x93\xb1UnauthorizedError"), "{body:x?}");
    let others = Capabilities::ALL.without(Capabilities::PROVENANCE);
    let (kind, body) = answered(others, b"\x80");
    assert!(kind == ERROR && body.starts_with(b"\x93\xa9TypeError"), "{body:x?}");
}

/// Both sides call back for each request, for as long as they can; how deep they came, and how the
/// first call ended.
fn circle(pair: &mut Pair) -> usize {
    let first = pair.client.call("down", ());
    let mut asked: Vec<(Work, CallId)> = Vec::new();
    let refused = loop {
        pair.settle();
        let depth = asked.len();
        let callee = if depth.is_multiple_of(2) { &mut pair.server } else { &mut pair.client };
        let Some(work) = callee.next_work() else { break None };
        let further = options().hops(work.provenance.hops + 1);
        match callee.call_with("down", (), further) {
            Ok(call) => asked.push((work, call)),
            Err(refused) => {
                callee.answer(work, 0);
                break Some(refused);
            }
        }
    };
    let depth = asked.len();
    for (level, (work, inner)) in asked.into_iter().enumerate().rev() {
        pair.settle();
        let callee = if level.is_multiple_of(2) { &mut pair.server } else { &mut pair.client };
        assert_ne!(callee.ended(inner), Ended::Pending, "at {level}");
        callee.answer(work, 0);
    }
    pair.settle();
    assert_eq!(pair.client.ended(first), Ended::Value(0.into()));
    assert!(refused.is_none_or(|refused| refused == CallRefused::TooManyHops { max: 32 }));
    assert_at_rest(pair);
    depth
}

#[test]
fn j_12_a_circle_ends_after_32_hops() {
    at_every_chunk(|setup| {
        let mut pair = setup.clone().declared().open();
        assert_eq!(circle(&mut pair), 32);
        // Who is called counts as well as who calls.
        let strict = |setup: &mut Setup| setup.server.limits.hops_max = 9;
        let mut pair = setup.declared().with(strict).open();
        assert_eq!(circle(&mut pair), 10, "the server refuses the tenth hop of its client");
    });
}

#[test]
fn j_12_a_circle_of_v1_peers_ends_at_their_limits() {
    at_every_chunk(|setup| {
        let few = |setup: &mut Setup| {
            setup.client.limits.requests_open_per_peer_max = 20;
            setup.server.limits.requests_open_per_peer_max = 20;
        };
        let mut pair = setup.with(few).open();
        assert_eq!(circle(&mut pair), 40);
    });
}
