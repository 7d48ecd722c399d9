//! Attacks of several steps, and many at once.

use crate::bench::Bench;
use pseud::Reason;
use pseud::proto::pseud::Dropped;
use pseud_testkit::raw::{HEARTBEAT, MORE, OK, envelope, frame, greeting, handshake, work, works};
use std::time::Duration;

const ID: &[u8] = b"sixteen bytes...";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_leaves_while_its_handler_runs() {
    let bench = Bench::new().await;
    let mut half = bench.peer().await;
    half.send(&work(ID, "wait")).await;
    bench.until_spied(1).await;
    assert_eq!(half.finish().await, b"");
    assert_eq!(bench.end(&half).await, Reason::PeerGone);
    let mut broken = bench.peer().await;
    broken.send(&work(ID, "wait")).await;
    bench.until_spied(2).await;
    broken.reset();
    bench.until(|stats| stats.requests_open == 0 && stats.sessions == 1).await;
    bench.canary().await;
    bench.until(|stats| stats.dropped(Dropped::CallerGone) == 2).await;
    bench.over(2, &[(Dropped::CallerGone, 2)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_before_the_end_still_leaves() {
    let bench = Bench::new().await;
    let mut wire = bench.connect().await;
    wire.send(&[handshake(), works("spy", 100)].concat()).await;
    wire.greeting().await;
    assert!(wire.frame().await.body.starts_with(b"\x05READY"));
    for _ in 0..100 {
        assert_eq!(wire.answer().await, (vec![], OK, vec![7]));
    }
    assert_eq!(wire.finish().await, b"");
    bench.over(100, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_never_reads() {
    let hard = |options: &mut pseud::Options| {
        options.config.limits.queue_bytes_hard_max = 1 << 20;
    };
    let bench = Bench::with(hard).await;
    let mut wire = bench.peer().await;
    let calls = works("large", 64);
    while wire.try_send(&calls).await && bench.stats().sessions > 1 {
        bench.canary().await;
    }
    assert_eq!(bench.end(&wire).await, Reason::SlowPeer);
    wire.closed().await;
    let (spied, gone) = (bench.spied(), bench.stats().dropped(Dropped::CallerGone));
    let stale = bench.stats().dropped(Dropped::Stale);
    // What does not fit is told so in about 200 bytes, until not even that fits.
    assert!(spied < 10_000, "{spied} calls were served");
    // Those that came together with the one whose answer was too much are not begun.
    let dropped = [(Dropped::CallerGone, gone), (Dropped::Stale, stale)];
    bench.over_unserved(spied, 8, &dropped).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_reads_too_late() {
    let guard = Duration::from_millis(500);
    let bench = Bench::with(|options| options.config.late_guard = guard.into()).await;
    let mut wire = bench.peer().await;
    // More than sockets hold, less than the queue may.
    wire.send(&works("large", 220)).await;
    bench.canary().await;
    assert_eq!(bench.end(&wire).await, Reason::LateReply);
    wire.closed().await;
    let late = bench.stats().dropped(Dropped::LateReply);
    bench.over(220, &[(Dropped::LateReply, late)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_identity_taken_over() {
    let bench = Bench::new().await;
    let mut first = bench.peer_named("me").await;
    first.send(&work(ID, "wait")).await;
    bench.until_spied(1).await;
    let mut second = bench.peer_named("me").await;
    assert_eq!(first.closed().await, b"");
    assert_eq!(bench.end(&first).await, Reason::Replaced);
    bench.release.notify_one();
    bench.until(|stats| stats.dropped(Dropped::CallerGone) == 1).await;
    second.spy().await;
    bench.canary().await;
    let mut server = bench.peer_named("service").await;
    server.spy().await;
    for mut wire in [second, server] {
        assert_eq!(wire.finish().await, b"", "no answer of another link's");
    }
    bench.over(3, &[(Dropped::CallerGone, 1)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_that_come_and_go() {
    let bench = Bench::new().await;
    let openings = [
        vec![],
        b"\xff".to_vec(),
        greeting(),
        handshake(),
        [handshake(), frame(MORE, b"")].concat(),
        [handshake(), envelope(b"", HEARTBEAT, b"")].concat(),
    ];
    for round in 0..20 {
        let mut wires = Vec::new();
        for index in 0..100 {
            let mut wire = bench.connect().await;
            wire.send(&openings[index % openings.len()]).await;
            wires.push(wire);
        }
        bench.canary().await;
        for (index, mut wire) in wires.into_iter().enumerate() {
            match (index + round) % 3 {
                0 => drop(wire),
                1 => wire.reset(),
                _ => drop(wire.finish().await),
            }
        }
    }
    bench.over(0, &[]).await;
}
