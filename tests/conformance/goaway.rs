//! A session that its peer ends, and says why.

use pseud::Reason;
use pseud::proto::pseud::{BACKLOG_BYTES_LOW, Dropped};
use pseud_testkit::memory::{Ended, Setup};

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
