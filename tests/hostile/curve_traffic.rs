//! What an attacker who was let in sends through its sealed link, and what others write into it
//! (RFC 26 §MESSAGE).

use crate::curve::{COMMAND_INSIDE, Keyed};
use pseud::proto::{Insecure, Malformed, Misbehaved, PeerError};
use pseud_testkit::raw::{COMMAND, LONG, MORE, frame, work};

const PING: &[u8] = b"\x04PING\0\0context";
const PONG: &[u8] = b"\x04PONGcontext";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_10_a_number_again() {
    let keyed = Keyed::new().await;
    let mut inside = keyed.admitted().await;
    let call = inside.call();
    inside.wire.send(&call).await;
    inside.answered().await;
    keyed.bench.refuses(inside.wire, &call, Insecure::Replay).await;
    keyed.over(1, 1, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_11_numbers_that_do_not_count_by_one() {
    let keyed = Keyed::new().await;
    let lower = [0, 1, 2, 5, 7].map(|number| (number, Insecure::Replay));
    let higher = [9, 10, 1 << 60, u64::MAX].map(|number| (number, Insecure::Gap));
    for (number, why) in lower.into_iter().chain(higher) {
        let mut inside = keyed.admitted().await;
        inside.spy().await;
        assert_eq!(inside.number, 7);
        let odd = inside.sealed(number, 0, b"");
        keyed.bench.refuses(inside.wire, &odd, why).await;
    }
    keyed.over(9, 9, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_13_a_forged_message_with_a_high_number() {
    let keyed = Keyed::new().await;
    for at in [2 + 16, 2 + 31, 2 + 32] {
        for (last, why) in [(7, Insecure::Box), (1 << 60, Insecure::Gap)] {
            let mut inside = keyed.admitted().await;
            inside.spy().await;
            inside.number = last;
            let mut forged = inside.call();
            forged[at] ^= 1;
            keyed.bench.refuses(inside.wire, &forged, why).await;
        }
    }
    keyed.over(6, 6, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_19_reserved_flags_inside() {
    let keyed = Keyed::new().await;
    for flags in [0x04, 0x08, 0x80, 0xfc, 0xff] {
        let inside = keyed.admitted().await;
        let odd = inside.sealed(3, flags, b"x");
        keyed.bench.refuses(inside.wire, &odd, Malformed::ReservedFlag).await;
    }
    keyed.over(5, 0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_19_sizes_and_names() {
    let keyed = Keyed::new().await;
    let good = keyed.admitted().await.forger.message(3, b"\0");
    let empty = keyed.admitted().await.forger.message(3, b"");
    assert_eq!(good.len(), 33);
    let malformed = PeerError::from(Malformed::BadCommand);
    let unexpected = PeerError::from(Misbehaved::UnexpectedCommand);
    let mut asked = 2;
    for (body, why) in [
        (&empty[..], malformed),
        (&good[..32], malformed),
        (&good[..8], malformed),
        (&good[..7], malformed),
        (b"", malformed),
        (b"\x04PING\0\0 and so on", unexpected),
        (b"an unsealed message", unexpected),
    ] {
        for flags in [0, COMMAND] {
            let inside = keyed.admitted().await;
            keyed.bench.refuses(inside.wire, &frame(flags, body), why).await;
            asked += 1;
        }
    }
    keyed.over(asked, 0, &[]).await;
}

/// Without a box around it, a call is none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_19_a_call_in_clear() {
    let keyed = Keyed::new().await;
    let inside = keyed.admitted().await;
    let call = work(b"sixteen bytes...", "spy");
    keyed.bench.refuses(inside.wire, &call, Malformed::BadCommand).await;
    keyed.over(1, 0, &[]).await;
}

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
