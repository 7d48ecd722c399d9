//! What an attacker who was let in sends through its sealed link (RFC 26 §MESSAGE), and is answered. What ends
//! the link is in `attacks`.

use crate::curve::{COMMAND_INSIDE, Keyed};
use pseud_testkit::raw::{COMMAND, LONG, MORE, frame};

const PING: &[u8] = b"\x04PING\0\0context";
const PONG: &[u8] = b"\x04PONGcontext";

/// What is outside of a box means nothing, commands inside are commands (C-10).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_19_c_10_flags_outside_and_commands_inside() {
    let keyed = Keyed::new().await;
    let mut inside = keyed.admitted().await;
    for (number, flags) in [(3, 0), (4, MORE), (5, COMMAND), (6, LONG)] {
        let ping = inside.forger.message(number, &[&[COMMAND_INSIDE], PING].concat());
        inside.wire.send(&frame(flags, &ping)).await;
        assert_eq!(inside.part().await, (COMMAND_INSIDE, PONG.to_vec()));
    }
    for (number, late) in (7..).zip([&b"\x05READY"[..], b"\x05ERROR\x03400", b"\x05HELLO"]) {
        inside.wire.send(&inside.sealed(number, COMMAND_INSIDE, late)).await;
    }
    inside.number = 9;
    inside.spy().await;
    keyed.bench.canary().await;
    assert_eq!(inside.wire.finish().await, b"");
    keyed.over(1, 1, &[]).await;
}
