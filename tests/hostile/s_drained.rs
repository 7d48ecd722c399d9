//! What can hold up a drain, and what cannot.

use crate::bench::Bench;
use pseud::{CallError, Client, Fault, OnDisconnect, Reason};
use pseud_testkit::raw::PATIENCE;
use pseud_testkit::raw::{fresh_id, ready_declaring, work, works};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_keeps_asking_and_reads_nothing_does_not_hold_up_a_drain() {
    // Room for all that the sockets hold besides.
    let bench = Bench::with(|options| options.config.limits.queue_bytes_hard_max = 64 << 20).await;
    let ready = ready_declaring("DEALER", "greedy", "1;caps=7");
    let (mut wire, mut first) = (bench.peer_saying(&ready).await, bench.peer().await);
    first.send(&work(&fresh_id(), "wait")).await;
    bench.until_spied(1).await;
    let mut drained = std::pin::pin!(bench.server.drained());
    // Far more than is read at once: its refusals are not taken any more, and pile up.
    while bench.stats().requests_open < 20_000 {
        let sent = timeout(PATIENCE, wire.try_send(&works("spy", 1_000))).await;
        assert_eq!(sent, Ok(true), "the server goes on reading");
    }
    assert!(timeout(Duration::from_millis(50), &mut drained).await.is_err(), "`wait` still runs");
    bench.release.notify_one();
    timeout(PATIENCE, drained).await.expect("what it owes is answered");
    assert_eq!(first.answer().await.2, [7]);
    let honest = Client::new("service").unwrap();
    honest.connect(&format!("tcp://{}", bench.address)).unwrap();
    let refused = timeout(PATIENCE, honest.call::<u32, _>("canary", (1,))).await.unwrap();
    assert!(matches!(refused, Err(CallError::NotExecuted(Reason::Draining))), "{refused:?}");
    wire.reset();
}

/// An answer that came before and is not read does: its link ends it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_not_read_holds_up_a_drain_until_its_link_ends() {
    let bench = Bench::new().await;
    let ready = ready_declaring("DEALER", "slow", "1;caps=7");
    let mut wire = bench.peer_saying(&ready).await;
    wire.send(&works("large", 200)).await;
    bench.until_spied(200).await;
    let mut drained = std::pin::pin!(bench.server.drained());
    assert!(timeout(Duration::from_millis(50), &mut drained).await.is_err());
    wire.reset();
    timeout(PATIENCE, drained).await.expect("it is over");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_waits_for_handlers_whose_callers_have_left() {
    let bench = Bench::with(|options| options.on_disconnect = OnDisconnect::Detach).await;
    let (go, admission) = mpsc::channel::<()>();
    let (ended, admission) = (Arc::new(AtomicBool::new(false)), std::sync::Mutex::new(admission));
    let (begun, mut began) = tokio::sync::mpsc::unbounded_channel();
    let tells = ended.clone();
    let block = move |_| {
        begun.send(()).unwrap();
        admission.lock().unwrap().recv().unwrap();
        tells.store(true, Ordering::SeqCst);
        Ok::<_, Fault>(())
    };
    bench.server.register_blocking("block", block).unwrap();
    let mut wire = bench.peer().await;
    wire.send(&[work(&fresh_id(), "wait"), work(&fresh_id(), "block")].concat()).await;
    bench.until_spied(1).await;
    timeout(PATIENCE, began.recv()).await.unwrap().unwrap();
    wire.reset();
    bench.until(|stats| stats.sessions == 1).await;
    assert_eq!(bench.stats().requests_open, 2, "what is worked for is open");
    let mut drained = std::pin::pin!(bench.server.drained());
    assert!(timeout(Duration::from_millis(50), &mut drained).await.is_err(), "two handlers run");
    go.send(()).unwrap();
    assert!(timeout(Duration::from_millis(50), &mut drained).await.is_err(), "one does");
    bench.release.notify_one();
    timeout(PATIENCE, drained).await.expect("none does");
    assert!(ended.load(Ordering::SeqCst));
}
