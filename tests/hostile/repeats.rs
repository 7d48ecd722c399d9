//! Requests that are sent again: each runs once in its session.

use crate::bench::Bench;
use pseud::Reason;
use pseud::proto::Misbehaved;
use pseud::proto::pseud::Dropped;
use pseud_testkit::raw::{OK, work, works};

const ID: &[u8] = b"sixteen bytes...";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j_07_a_request_that_is_sent_again() {
    let bench = Bench::new().await;
    let mut wire = bench.peer().await;
    wire.send(&work(ID, "wait")).await;
    bench.until_spied(1).await;
    wire.send(&[work(ID, "wait"), work(ID, "spy")].concat()).await;
    wire.spy().await;
    bench.canary().await;
    bench.release.notify_one();
    assert_eq!(wire.answer().await, (ID.to_vec(), OK, vec![7]));
    wire.send(&[work(ID, "wait"), work(ID, "spy")].concat()).await;
    wire.spy().await;
    bench.canary().await;
    // Its own session remembers it, no other does.
    let mut other = bench.peer().await;
    other.send(&work(ID, "spy")).await;
    assert_eq!(other.answer().await, (ID.to_vec(), OK, vec![7]));
    for mut wire in [wire, other] {
        assert_eq!(wire.finish().await, b"");
    }
    bench.over(4, &[(Dropped::Duplicate, 4)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j_07_requests_without_an_id() {
    let bench = Bench::new().await;
    let mut wire = bench.peer().await;
    wire.send(&works("spy", 10)).await;
    for _ in 0..10 {
        assert_eq!(wire.answer().await, (vec![], OK, vec![7]));
    }
    bench.canary().await;
    assert_eq!(wire.finish().await, b"");
    bench.over(10, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j_07_a_request_that_is_sent_again_and_again() {
    let bench = Bench::new().await;
    let mut wire = bench.peer().await;
    wire.send(&work(ID, "spy")).await;
    assert_eq!(wire.answer().await.0, ID);
    wire.try_send(&work(ID, "spy").repeat(10_000)).await;
    assert_eq!(bench.end(&wire).await, Reason::PeerFault(Misbehaved::Flood.into()));
    bench.canary().await;
    wire.closed().await;
    let dropped = bench.stats().dropped(Dropped::Duplicate);
    assert!((1_000..10_000).contains(&dropped), "{dropped}");
    bench.over(1, &[(Dropped::Duplicate, dropped)]).await;
}
