//! Frames and commands (ZMTP 3.1 §framing, §commands): memory, time, resets and floods. What is wrong with
//! single ones is in `attacks`.

use crate::bench::Bench;
use crate::memory::reserved;
use pseud::Reason;
use pseud::proto::{Malformed, Misbehaved};
use pseud_testkit::raw::{
    COMMAND, LONG, MORE, OK, RawPeer, command, frame, handshake, long_header, message, work,
    work_body,
};
use std::time::Duration;
use tokio::time::Instant;

const ID: &[u8] = b"sixteen bytes...";

/// The attacker leaves between two messages, owed nothing.
async fn part_friends(bench: &Bench, mut wire: RawPeer) {
    assert_eq!(wire.finish().await, b"");
    assert_eq!(bench.end(&wire).await, Reason::PeerGone);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b_03_memory_grows_with_what_came() {
    let bench = Bench::with(|options| {
        options.connection.limits.frame_bytes_max = 2 << 30;
        options.connection.limits.message_bytes_max = 2 << 30;
    })
    .await;
    let before = reserved();
    let mut wires = Vec::new();
    for _ in 0..16 {
        let mut wire = bench.peer().await;
        wire.send(&[work(ID, "spy"), long_header(0, 1 << 30), b"ten bytes.".to_vec()].concat())
            .await;
        assert_eq!(wire.answer().await, (ID.to_vec(), OK, vec![7]));
        wires.push(wire);
    }
    bench.canary().await;
    if let (Some(before), Some(after)) = (before, reserved()) {
        // All tests of this binary share it; one declared gibibyte alone would be over.
        assert!(after.saturating_sub(before) < 512 << 20, "{before} bytes grew to {after}");
    }
    for mut wire in wires {
        assert_eq!(wire.finish().await, b"");
        assert_eq!(bench.end(&wire).await, Reason::PeerFault(Malformed::Truncated.into()));
    }
    bench.over(16, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b_03_a_message_that_is_never_finished() {
    let limit = Duration::from_millis(300);
    let bench = Bench::with(|options| options.connection.message_timeout = limit).await;
    let part = [long_header(0, 1 << 20), vec![0; 100_000]].concat();
    let (wire, since) = (bench.peer().await, Instant::now());
    bench.refuses(wire, &part, Misbehaved::Stalled).await;
    assert!(since.elapsed() >= limit);
    bench.canary().await;
    bench.over(0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b_07_a_reset_at_each_byte_of_the_handshake() {
    let bench = Bench::new().await;
    let stream = handshake();
    for cut in 0..stream.len() {
        let mut wire = bench.connect().await;
        wire.greeting().await;
        wire.send(&stream[..cut]).await;
        wire.reset();
    }
    bench.canary().await;
    bench.over(0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b_07_a_reset_at_each_byte() {
    let bench = Bench::new().await;
    let call = work(ID, "spy");
    for cut in 0..call.len() {
        let mut wire = bench.peer().await;
        wire.send(&call[..cut]).await;
        bench.until(|stats| stats.sessions == 2).await;
        wire.reset();
        bench.until(|stats| stats.sessions == 1).await;
    }
    bench.canary().await;
    bench.over(0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b_13_two_pieces_cut_at_every_byte() {
    let bench = Bench::new().await;
    let parts = [frame(MORE, b""), frame(MORE, b"v1"), command("PING", b"\0\0x"), frame(MORE, ID)];
    let rest = [frame(MORE, &[3]), frame(LONG, &work_body("spy")), work(b"2", "spy")];
    let stream = [handshake(), parts.concat(), rest.concat()].concat();
    for cut in 0..=stream.len() {
        let mut wire = bench.connect().await;
        wire.send(&stream[..cut]).await;
        tokio::task::yield_now().await;
        wire.send(&stream[cut..]).await;
        wire.greeting().await;
        assert!(wire.frame().await.body.starts_with(b"\x05READY"));
        assert_eq!(wire.frame().await.body, b"\x04PONGx", "{cut}");
        assert_eq!(wire.answer().await, (ID.to_vec(), OK, vec![7]), "{cut}");
        assert_eq!(wire.answer().await, (b"2".to_vec(), OK, vec![7]), "{cut}");
        part_friends(&bench, wire).await;
    }
    bench.canary().await;
    bench.over(2 * (stream.len() as u64 + 1), &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b_13_a_byte_at_a_time_and_a_thousand_messages_at_once() {
    let bench = Bench::new().await;
    let mut wire = bench.connect().await;
    for byte in [handshake(), work(ID, "spy")].concat() {
        wire.send(&[byte]).await;
    }
    wire.greeting().await;
    assert!(wire.frame().await.body.starts_with(b"\x05READY"));
    assert_eq!(wire.answer().await, (ID.to_vec(), OK, vec![7]));
    let id = |index: u32| index.to_be_bytes();
    let thousand: Vec<u8> = (0..1_000).flat_map(|index| work(&id(index), "spy")).collect();
    wire.send(&thousand).await;
    bench.canary().await;
    for index in 0..1_000 {
        assert_eq!(wire.answer().await, (id(index).to_vec(), OK, vec![7]));
    }
    part_friends(&bench, wire).await;
    bench.over(1_001, &[]).await;
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
