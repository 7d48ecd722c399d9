//! Floods of what brings nothing, and a stall: one link's cost is bounded, and only that link ends.

use crate::bench::Bench;
use crate::bytes::{COMMAND, HEARTBEAT, LONG, command, envelope, frame, long_header, message};
use pseud::proto::pseud::Dropped;
use pseud::proto::{Misbehaved, PeerError};
use pseud::{Options, Reason};
use std::time::Duration;

const FLOOD: Reason = Reason::PeerFault(PeerError::Misbehaved(Misbehaved::Flood));

/// Little enough that a test is over soon, and no refill while it runs.
fn small(options: &mut Options) {
    for flood in [&mut options.config.limits.flood, &mut options.connection.limits.flood] {
        (flood.burst, flood.per_second) = (50, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b_03_a_message_that_stalls() {
    let stall = Duration::from_millis(200);
    let bench = Bench::with(|options| {
        options.connection.message_timeout = stall;
        options.connection.heartbeat.interval = None;
        options.connection.limits.frame_bytes_max = 1 << 30;
        options.connection.limits.message_bytes_max = 1 << 30;
    })
    .await;
    let mut wire = bench.peer().await;
    wire.send(&[long_header(0, 1 << 29), vec![0; 10]].concat()).await;
    bench.canary().await;
    wire.closed().await;
    assert_eq!(bench.end(&wire).await, Reason::PeerFault(Misbehaved::Stalled.into()));
    bench.over(0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b_09_empty_messages() {
    let bench = Bench::with(small).await;
    let mut wire = bench.peer().await;
    wire.send(&message(&[b""]).repeat(50)).await;
    wire.spy().await;
    wire.send(&message(&[b""])).await;
    wire.closed().await;
    assert_eq!(bench.end(&wire).await, FLOOD);
    // The canary's own probe is one of them.
    assert_eq!(bench.stats().probes, 52);
    bench.over(1, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b_10_unknown_commands() {
    let bench = Bench::with(small).await;
    for name in ["JOIN", "FOO", "READY", "ERROR"] {
        let mut wire = bench.peer().await;
        wire.send(&command(name, b"").repeat(50)).await;
        wire.spy().await;
        wire.send(&command(name, b"")).await;
        wire.closed().await;
        assert_eq!(bench.end(&wire).await, FLOOD, "{name}");
    }
    bench.over(4, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b_12_pings() {
    let bench = Bench::with(small).await;
    let mut wire = bench.peer().await;
    wire.send(&frame(COMMAND, b"\x04PING\0\0").repeat(50)).await;
    for _ in 0..50 {
        assert_eq!(wire.frame().await.body, b"\x04PONG");
    }
    wire.spy().await;
    wire.send(&command("PING", b"\0\0")).await;
    wire.closed().await;
    assert_eq!(bench.end(&wire).await, FLOOD);
    bench.over(1, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b_12_a_million_pings_that_nobody_reads_the_answers_of() {
    let bench = Bench::new().await;
    let mut wire = bench.peer().await;
    let pings = frame(COMMAND, b"\x04PING\0\0sixteen bytes...").repeat(1_000);
    let mut sent = 0;
    while sent < 1_000 && wire.try_send(&pings).await {
        sent += 1;
    }
    assert!(sent < 1_000, "the link ended before all were sent");
    assert_eq!(bench.end(&wire).await, FLOOD);
    bench.over(0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f_06_unknown_kinds() {
    let bench = Bench::with(small).await;
    let mut wire = bench.peer().await;
    let kinds = (0..=u8::MAX).filter(|kind| ![1, 2, 3, 4, 6, 0x10, 0x11].contains(kind));
    let noise: Vec<Vec<u8>> = kinds.map(|kind| envelope(&[7; 16], kind, b"")).collect();
    assert_eq!(noise.len(), 249);
    wire.send(&noise[..50].concat()).await;
    wire.spy().await;
    wire.send(&noise[50]).await;
    wire.closed().await;
    assert_eq!(bench.end(&wire).await, FLOOD);
    bench.over(1, &[(Dropped::Kind, 51)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f_07_heartbeats() {
    let bench = Bench::with(small).await;
    let mut wire = bench.peer().await;
    wire.send(&envelope(b"id", HEARTBEAT, b"body").repeat(50)).await;
    wire.spy().await;
    wire.send(&envelope(b"", HEARTBEAT, b"")).await;
    wire.closed().await;
    assert_eq!(bench.end(&wire).await, FLOOD);
    assert_eq!(bench.stats().heartbeats, 51);
    bench.over(1, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b_03_a_large_frame_that_trickles_is_not_stalled() {
    let bench = Bench::with(|options| {
        options.connection.message_timeout = Duration::from_secs(5);
    })
    .await;
    let mut wire = bench.peer().await;
    let call = crate::bytes::work(b"sixteen bytes...", "spy");
    for byte in &call {
        wire.send(&[*byte]).await;
    }
    assert_eq!(wire.answer().await.2, vec![7]);
    wire.send(&[long_header(LONG, 1 << 20), vec![0; 1 << 20]].concat()).await;
    wire.spy().await;
    assert_eq!(wire.finish().await, b"");
    bench.over(2, &[]).await;
}
