//! A flood whose answers nobody reads, and a trickle that is no fault.

use crate::bench::Bench;
use pseud::Reason;
use pseud::proto::Misbehaved;
use pseud_testkit::raw::{COMMAND, LONG, frame, long_header, work};
use std::time::Duration;

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
    assert_eq!(bench.end(&wire).await, Reason::PeerFault(Misbehaved::Flood.into()));
    bench.over(0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b_03_a_large_frame_that_trickles_is_not_stalled() {
    let bench = Bench::with(|options| {
        options.connection.message_timeout = Duration::from_secs(5);
    })
    .await;
    let mut wire = bench.peer().await;
    let call = work(b"sixteen bytes...", "spy");
    for byte in &call {
        wire.send(&[*byte]).await;
    }
    assert_eq!(wire.answer().await.2, vec![7]);
    wire.send(&[long_header(LONG, 1 << 20), vec![0; 1 << 20]].concat()).await;
    wire.spy().await;
    assert_eq!(wire.finish().await, b"");
    bench.over(2, &[]).await;
}
