//! Commands (ZMTP 3.1 §commands), alone, in floods and between the parts of a message.

use crate::b_framing::{ID, part_friends, refused};
use crate::bench::Bench;
use pseud::Reason;
use pseud::proto::{Malformed, Misbehaved};
use pseud_testkit::raw::Frame;
use pseud_testkit::raw::{COMMAND, MORE, OK, command, frame, message, ready, work_body};

/// What a PING of that context is answered with.
pub(crate) fn pong(context: &[u8]) -> Frame {
    Frame { flags: COMMAND, body: [b"\x04PONG", context].concat() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b_06_bad_command_names() {
    let bench = Bench::new().await;
    for body in [&b""[..], b"\0", b"\0PING", b"\x05PING", b"\xff"] {
        refused(&bench, &frame(COMMAND, body), Malformed::BadCommand).await;
        let between = [message_part(), frame(COMMAND, body)].concat();
        refused(&bench, &between, Malformed::BadCommand).await;
        bench.canary().await;
    }
    bench.over(0, &[]).await;
}

fn message_part() -> Vec<u8> {
    frame(MORE, b"a part")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b_06_command_with_more() {
    let bench = Bench::new().await;
    let strict = Bench::with(|options| options.connection.strict = true).await;
    let odd = frame(COMMAND | MORE, b"\x04PING\0\0context");
    let mut wire = bench.peer().await;
    wire.send(&odd).await;
    assert_eq!(wire.frame().await, pong(b"context"));
    wire.spy().await;
    part_friends(&bench, wire).await;
    refused(&strict, &odd, Malformed::ReservedFlag).await;
    bench.over(1, &[]).await;
    strict.over(0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b_06_commands_between_the_parts_of_a_message() {
    let bench = Bench::new().await;
    let mut wire = bench.peer().await;
    let body = work_body("spy");
    let parts: [&[u8]; 5] = [b"", b"v1", ID, &[3], &body];
    for (index, part) in parts.into_iter().enumerate() {
        wire.send(&command("PING", b"\0\0here")).await;
        assert_eq!(wire.frame().await, pong(b"here"));
        wire.send(&frame(if index < 4 { MORE } else { 0 }, part)).await;
    }
    assert_eq!(wire.answer().await, (ID.to_vec(), OK, vec![7]));
    bench.canary().await;
    part_friends(&bench, wire).await;
    bench.over(1, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b_09_b_10_b_12_floods() {
    let bench = Bench::new().await;
    let pings = command("PING", b"\0\0");
    for noise in [message(&[b""]), command("JOIN", b"group"), pings, frame(COMMAND, b"\x01x")] {
        let mut wire = bench.peer().await;
        wire.try_send(&noise.repeat(200_000)).await;
        let answers = wire.closed().await;
        assert!(answers.len() < 64 << 10, "{} bytes came back", answers.len());
        assert_eq!(bench.end(&wire).await, Reason::PeerFault(Misbehaved::Flood.into()));
        bench.canary().await;
    }
    bench.over(0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b_10_unknown_and_late_commands() {
    let bench = Bench::new().await;
    let mut wire = bench.peer().await;
    for odd in [
        command("JOIN", b"group"),
        command("FOO", b""),
        command("ping", b"\0\0"),
        command("HELLO", b"\x01a\x01b"),
        ready("ROUTER", "somebody else"),
        command("ERROR", b"\x03400"),
    ] {
        wire.send(&odd).await;
        wire.spy().await;
    }
    bench.canary().await;
    part_friends(&bench, wire).await;
    bench.over(6, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b_11_subscriptions() {
    let bench = Bench::new().await;
    let mut wire = bench.peer().await;
    for odd in [command("SUBSCRIBE", b"topic"), command("CANCEL", b"topic"), message(&[b"\x01"])] {
        wire.send(&odd).await;
        wire.spy().await;
    }
    bench.canary().await;
    part_friends(&bench, wire).await;
    assert_eq!(bench.stats().probes, 2, "a 3.0 subscription is one frame, and so is a probe");
    bench.over(3, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b_12_ping_contexts() {
    let bench = Bench::new().await;
    let mut wire = bench.peer().await;
    for len in [0, 1, 16, 17, 255] {
        for ttl in [[0, 0], [0xff, 0xff]] {
            let context: Vec<u8> = (0..len).collect();
            wire.send(&command("PING", &[&ttl[..], &context].concat())).await;
            assert_eq!(wire.frame().await, pong(&context[..context.len().min(16)]));
        }
    }
    wire.spy().await;
    part_friends(&bench, wire).await;
    bench.canary().await;
    for short in [&b""[..], b"\0"] {
        refused(&bench, &command("PING", short), Malformed::BadCommand).await;
    }
    bench.over(1, &[]).await;
}
