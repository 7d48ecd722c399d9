//! Messages that are begun and go on slowly, answers that are not read (S-09): bounded in time for each link,
//! and in bytes for all of them together.

use crate::bench::Bench;
use pseud::Reason;
use pseud::proto::{Misbehaved, ProgressLimit};
use pseud_testkit::raw::{
    MORE, OK, PATIENCE, RawPeer, frame, fresh_id, long_header, ready_declaring, works,
};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

const MIB: usize = 1 << 20;

fn progress(window: Duration) -> ProgressLimit {
    let mut limit = ProgressLimit::default();
    limit.window = window;
    limit
}

/// A call of the spy's whose argument is a text of that size, and its id.
fn large_call(size: usize) -> (Vec<u8>, Vec<u8>) {
    let id = fresh_id();
    let mut body = b"\x93\xa3spy\x91\xdb".to_vec();
    body.extend((size as u32).to_be_bytes());
    body.extend(vec![b'x'; size]);
    body.push(0x80);
    let front = [&b""[..], b"v1", &id, b"\x03"].map(|part| frame(MORE, part)).concat();
    let call = [front, long_header(0, body.len() as u64), body].concat();
    (call, id)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s_09_forty_partial_messages_take_no_more_than_the_nodes_bytes() {
    const PEERS: usize = 40;
    const MAX: usize = 8 * MIB;
    let bench = Bench::with(|options| options.config.limits.queue_bytes_total_max = MAX).await;
    // Who sends little of what it has begun is not the one to go.
    let mut honest = bench.peer().await;
    let (call, id) = large_call(100_000);
    honest.send(&call[..50_000]).await;
    let mut wires = Vec::new();
    for _ in 0..PEERS {
        let mut wire = bench.peer().await;
        let begun = [long_header(MORE, 8 << 20), vec![0; MIB]].concat();
        wire.try_send(&begun).await;
        let stats = bench.stats();
        assert!(stats.partial_bytes + stats.queued_bytes <= MAX + 2 * MIB, "{stats:?}");
        wires.push(wire);
    }
    bench.until(|stats| stats.sessions <= 2 + MAX / MIB).await;
    assert!(bench.stats().partial_bytes > MAX / 2, "{:?}", bench.stats());
    bench.canary().await;
    honest.send(&call[50_000..]).await;
    assert_eq!(honest.answer().await, (id, OK, vec![7]));
    // Those that were shown out were told nothing, and those that stay may leave.
    for wire in &mut wires {
        assert_eq!(wire.finish().await, b"");
    }
    let ends = bench.ends(&wires).await;
    let slow = ends.iter().filter(|end| **end == Reason::SlowPeer).count();
    assert!((PEERS - MAX / MIB..PEERS).contains(&slow), "{slow} of {ends:?}");
    bench.until(|stats| stats.partial_bytes == 0).await;
    honest.finish().await;
    bench.over(1, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s_09_a_message_that_trickles_ends_its_link_and_a_slow_one_is_served() {
    let window = Duration::from_secs(1);
    let bench = Bench::with(|options| {
        options.connection.progress = progress(window);
        // Whether it is looked at does not depend on PINGs.
        options.connection.heartbeat.interval = None;
    })
    .await;
    let (mut rogue, mut honest) = (bench.peer().await, bench.peer().await);
    let (call, id) = large_call(60_000);
    let mut calls = call.chunks(1_000);
    rogue.send(&[long_header(0, 8 << 20), vec![0; 20_000]].concat()).await;
    let since = Instant::now();
    // 25 kB a second of an honest peer, 25 bytes of the other.
    while rogue.try_send(b"x").await && since.elapsed() < PATIENCE {
        if let Some(part) = calls.next() {
            honest.send(part).await;
        }
        sleep(Duration::from_millis(40)).await;
    }
    assert_eq!(bench.end(&rogue).await, Reason::PeerFault(Misbehaved::Stalled.into()));
    assert!(since.elapsed() >= window);
    for part in calls {
        honest.send(part).await;
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(honest.answer().await, (id, OK, vec![7]));
    bench.canary().await;
    honest.finish().await;
    bench.over(1, &[]).await;
}

/// Reads so many bytes, so much at a time.
async fn read_slowly(mut wire: RawPeer, bytes: usize) -> usize {
    let (mut read, mut buffer) = (0, vec![0; 32 << 10]);
    while read < bytes {
        sleep(Duration::from_millis(20)).await;
        match timeout(PATIENCE, wire.stream.read(&mut buffer)).await.expect("it is answered") {
            Ok(count) if count > 0 => read += count,
            _ => break,
        }
    }
    read
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s_02_s_09_who_does_not_read_loses_its_link_and_who_reads_slowly_is_answered() {
    const ANSWERS: usize = 60;
    for declares in ["", "1;caps=7"] {
        let bench = Bench::with(|options| {
            options.connection.progress = progress(Duration::from_secs(3));
            options.connection.heartbeat.interval = None;
        })
        .await;
        let mut slow = JoinSet::new();
        let mut honest = bench.peer_saying(&ready_declaring("DEALER", "", declares)).await;
        honest.send(&works("large", ANSWERS)).await;
        slow.spawn(read_slowly(honest, ANSWERS * (64 << 10)));
        let mut rogues = Vec::new();
        for _ in 0..8 {
            let mut rogue = bench.peer_saying(&ready_declaring("DEALER", "", declares)).await;
            rogue.send(&works("large", 200)).await;
            rogues.push(rogue);
        }
        assert_eq!(bench.ends(&rogues).await, [Reason::SlowPeer; 8]);
        assert!(slow.join_next().await.unwrap().unwrap() >= ANSWERS * (64 << 10));
        bench.canary().await;
        bench.until(|stats| stats.queued_bytes == 0).await;
        let spied = bench.spied();
        assert!(spied >= ANSWERS as u64 + 8);
        bench.until(|stats| stats.sessions == 1).await;
    }
}
