//! Frames (ZMTP 3.1 §framing). Commands are in `b_commands`.

use crate::b_commands::pong;
use crate::bench::Bench;
use crate::memory::reserved;
use pseud::Reason;
use pseud::proto::pseud::Dropped;
use pseud::proto::{Malformed, Misbehaved, PeerError};
use pseud_testkit::raw::RawPeer;
use pseud_testkit::raw::{
    COMMAND, LONG, MORE, OK, command, frame, greeting, handshake, long_header, message_with, work,
    work_body,
};
use std::time::Duration;
use tokio::time::Instant;

const FRAME_MAX: u64 = (8 << 20) + (64 << 10);
pub(crate) const ID: &[u8] = b"sixteen bytes...";

/// Behind a handshake, those bytes end the link, unanswered.
pub(crate) async fn refused(bench: &Bench, bytes: &[u8], why: impl Into<PeerError>) {
    let mut wire = bench.peer().await;
    wire.try_send(bytes).await;
    assert_eq!(wire.closed().await, b"", "after {bytes:x?}");
    assert_eq!(bench.end(&wire).await, Reason::PeerFault(why.into()), "after {bytes:x?}");
}

fn too_large(what: &'static str, size: u64, max: u64) -> PeerError {
    PeerError::TooLarge { what, size, max }
}

/// The attacker leaves between two messages, owed nothing.
pub(crate) async fn part_friends(bench: &Bench, mut wire: RawPeer) {
    assert_eq!(wire.finish().await, b"");
    assert_eq!(bench.end(&wire).await, Reason::PeerGone);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b_01_giant_lengths() {
    let bench = Bench::new().await;
    for size in [u64::MAX, 1 << 63, usize::MAX as u64 - 8, 0xffff_ffff_ffff_ff98] {
        let frame = too_large("frame bytes", size, FRAME_MAX);
        refused(&bench, &long_header(0, size), frame).await;
        refused(&bench, &[frame_of(MORE, 3), long_header(0, size)].concat(), frame).await;
        let command = too_large("command bytes", size, 4096);
        refused(&bench, &long_header(COMMAND, size), command).await;
        let mut wire = bench.connect().await;
        wire.send(&[greeting(), long_header(0, size)].concat()).await;
        wire.closed().await;
        assert_eq!(bench.end(&wire).await, Reason::PeerFault(frame));
        bench.canary().await;
    }
    bench.over(0, &[]).await;
}

fn frame_of(flags: u8, len: usize) -> Vec<u8> {
    frame(flags, &vec![0; len])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b_02_one_over_the_limit() {
    let bench = Bench::with(|options| {
        options.connection.limits.frame_bytes_max = 1_000;
        options.connection.limits.message_bytes_max = 1_500;
    })
    .await;
    for size in [1_001, 1 << 31, 1 << 48] {
        refused(&bench, &long_header(0, size), too_large("frame bytes", size, 1_000)).await;
        refused(&bench, &long_header(MORE, size), too_large("frame bytes", size, 1_000)).await;
        bench.canary().await;
    }
    let together = [frame_of(MORE, 1_000), frame_of(0, 501)].concat();
    refused(&bench, &together, too_large("message bytes", 1_501, 1_500)).await;
    refused(&bench, &long_header(COMMAND, 4_097), too_large("command bytes", 4_097, 4_096)).await;
    let mut wire = bench.peer().await;
    wire.send(&frame_of(0, 1_000)).await;
    wire.send(&[frame_of(MORE, 1_000), frame_of(0, 500)].concat()).await;
    wire.spy().await;
    assert_eq!(bench.stats().probes, 2, "the canary's, and the frame of just the limit");
    part_friends(&bench, wire).await;
    bench.over(1, &[(Dropped::BadEnvelope, 1)]).await;
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
    let since = Instant::now();
    refused(&bench, &part, Misbehaved::Stalled).await;
    assert!(since.elapsed() >= limit);
    bench.canary().await;
    bench.over(0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b_04_long_form_of_a_small_size() {
    let bench = Bench::new().await;
    let mut wire = bench.peer().await;
    let parts: &[&[u8]] = &[b"", b"v1", ID, &[3], &work_body("spy")];
    wire.send(&[message_with(LONG, parts), message_with(LONG, &[b""])].concat()).await;
    assert_eq!(wire.answer().await, (ID.to_vec(), OK, vec![7]));
    wire.spy().await;
    bench.canary().await;
    part_friends(&bench, wire).await;
    assert_eq!(bench.stats().probes, 2);
    bench.over(2, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b_05_reserved_flags() {
    let bench = Bench::new().await;
    let strict = Bench::with(|options| options.connection.strict = true).await;
    let parts: &[&[u8]] = &[b"", b"v1", ID, &[3], &work_body("spy")];
    for bit in 3..8 {
        let odd = message_with(1 << bit, parts);
        let mut wire = bench.peer().await;
        wire.send(&odd).await;
        assert_eq!(wire.answer().await, (ID.to_vec(), OK, vec![7]));
        wire.spy().await;
        part_friends(&bench, wire).await;
        bench.canary().await;
        refused(&strict, &odd, Malformed::ReservedFlag).await;
        strict.canary().await;
    }
    bench.over(10, &[]).await;
    strict.over(0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b_07_the_end_at_each_byte() {
    let bench = Bench::new().await;
    let call = work(ID, "spy");
    for cut in 0..call.len() {
        let mut wire = bench.peer().await;
        wire.send(&call[..cut]).await;
        assert_eq!(wire.finish().await, b"", "{cut}");
        let why = match cut {
            0 => Reason::PeerGone,
            _ => Reason::PeerFault(Malformed::Truncated.into()),
        };
        assert_eq!(bench.end(&wire).await, why, "{cut}");
    }
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
async fn b_08_more_for_ever() {
    let bench = Bench::new().await;
    let mut wire = bench.peer().await;
    wire.send(&[frame(MORE, b"x").repeat(15), frame(0, b"x")].concat()).await;
    wire.spy().await;
    part_friends(&bench, wire).await;
    let too_many = too_large("frames of a message", 17, 16);
    refused(&bench, &frame(MORE, b"x").repeat(17), too_many).await;
    bench.canary().await;
    refused(&bench, &frame(MORE, b"x").repeat(1_000_000), too_many).await;
    bench.over(1, &[(Dropped::BadEnvelope, 1)]).await;
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
        assert_eq!(wire.frame().await, pong(b"x"), "{cut}");
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
