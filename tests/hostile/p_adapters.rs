//! What the operating system does to us: too many open files, and links that break while we write.

use crate::alone::alone;
use crate::bench::Bench;
use crate::rogue::{Rogue, outcome};
use pseud::proto::pseud::Dropped;
use pseud_testkit::raw::{OK, WORK, envelope, work_body, works};
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j_06_a_peer_that_uses_our_own_id() {
    let (rogue, mut wire) = Rogue::new().await;
    rogue.victim.register_sync("spy", |_| Ok::<_, pseud::Fault>(9)).unwrap();
    let (calling, id) = rogue.call(&mut wire).await;
    wire.send(&envelope(&id, WORK, &work_body("spy"))).await;
    assert_eq!(wire.answer().await, (id.clone(), OK, vec![9]), "its id, its call");
    wire.send(&envelope(&id, OK, &[5])).await;
    assert_eq!(outcome(calling).await.unwrap(), 5, "our id, our call");
    rogue.over(&[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p_02_too_many_open_files() {
    alone("p_adapters::p_02_too_many_open_files", 64, few_files).await;
}

/// The attacker takes all files of the process that the server lives in.
async fn few_files() {
    let bench = Bench::new().await;
    let mut taken = Vec::new();
    while let Ok(stream) = TcpStream::connect(bench.address).await {
        taken.push(stream);
        assert!(taken.len() < 64, "the limit does not hold");
    }
    assert!(taken.len() > 5, "{} connections", taken.len());
    bench.canary().await;
    drop(taken);
    let mut late = bench.peer().await;
    late.spy().await;
    assert_eq!(late.finish().await, b"");
    bench.over(1, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p_03_a_link_that_breaks_while_we_write() {
    let bench = Bench::new().await;
    for _ in 0..20 {
        let mut wire = bench.peer().await;
        wire.send(&works("large", 50)).await;
        wire.reset();
    }
    bench.until(|stats| stats.sessions == 1 && stats.requests_open == 0).await;
    let (spied, stats) = (bench.spied(), bench.stats());
    let gone = [Dropped::CallerGone, Dropped::Stale].map(|cause| (cause, stats.dropped(cause)));
    bench.over(spied, &gone).await;
}
