//! A session that its peer ends, and says why.

use pseud::proto::pseud::{BACKLOG_BYTES_LOW, Dropped};
use pseud::proto::zmtp::Side;
use pseud::proto::{CallOptions, Capabilities, To};
use pseud::{Reason, User};
use pseud_testkit::memory::{CHUNKS, Clock, Ended, Node, Setup};

const GOAWAY: u8 = 0x12;

#[test]
fn what_had_left_is_unknown_and_what_had_not_was_not_executed() {
    for (body, why) in
        [(&b"\x91\xa7revoked"[..], Reason::Revoked), (b"\x91\xa8draining", Reason::Draining)]
    {
        let mut wire = Setup::default().declared().with_stranger();
        let sent = wire.client.call("sent", ());
        wire.settle();
        wire.up.stop();
        let unsent = [
            wire.client.call("begun", ("x".repeat(BACKLOG_BYTES_LOW),)),
            wire.client.call("queued", ()),
        ];
        wire.server.say(GOAWAY, b"", body);
        wire.settle();
        assert_eq!(wire.client.ended(sent), Ended::Unknown(why));
        for call in unsent {
            assert_eq!(wire.client.ended(call), Ended::NotExecuted(why));
        }
        assert_eq!((wire.client.left(), wire.client.stats().calls_pending), (Some(why), 0));
    }
}

/// Who has not declared that it reads one takes none, and nobody is believed who says anything else.
#[test]
fn one_that_was_not_declared_or_means_nothing_is_dropped() {
    for (setup, body) in [
        (Setup::default(), &b"\x91\xa7revoked"[..]),
        (Setup::default().declared(), b"\x91\xa5later"),
    ] {
        let mut wire = setup.with_stranger();
        let call = wire.client.call("hello", ());
        wire.server.say(GOAWAY, b"", body);
        wire.settle();
        assert_eq!(wire.client.dropped(Dropped::Kind), 1);
        assert_eq!((wire.client.ended(call), wire.client.left()), (Ended::Pending, None));
    }
}

/// A loop of one's own says why, behind what was begun, to who reads it, and to nobody else.
#[test]
fn who_is_shown_out_by_an_endpoint_reads_why() {
    for chunk in CHUNKS {
        for reads in [true, false] {
            let setup = Setup::default().known().declared().chunk(chunk);
            let setup = setup.with(|setup| {
                if !reads {
                    setup.client.capabilities = Capabilities::ALL.without(Capabilities::GOAWAY);
                }
            });
            let node = setup.node(&Clock::new());
            node.borrow_mut().users.insert(b"desk".to_vec(), User::new("alice"));
            let mut wire = setup.clone().join(&Node::open(&node, Side::Accepting), "desk");
            let served = wire.client.call("work", ());
            wire.settle();
            let work = node.borrow_mut().work();
            let asked = node.borrow_mut().call(
                To::Identity("desk".into()),
                "store",
                (vec![7_u8; 300_000],),
                CallOptions::default(),
            );
            assert_eq!(node.borrow_mut().disconnect_user("alice"), 1);
            node.borrow_mut().answer(work, "too late");
            wire.settle();
            // What was in the driver's hands is whole before that.
            assert_eq!(node.borrow().ended(asked.unwrap()), Ended::Unknown(Reason::Revoked));
            let why = if reads { Reason::Revoked } else { Reason::PeerGone };
            assert_eq!(wire.client.ended(served), Ended::Unknown(why));
            assert_eq!(wire.client.left(), Some(why));
        }
    }
}
