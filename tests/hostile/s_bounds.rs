//! What a peer can make us do over and over: each time costs a few steps, or ends its link (S).

use crate::alone::alone;
use crate::bench::Bench;
use crate::memory::reserved;
use crate::rogue::Rogue;
use pseud::proto::pseud::Dropped;
use pseud::proto::{CallRefused, Misbehaved};
use pseud::{CallError, Client, Fault, Reason, Value, WhenFull};
use pseud_testkit::raw::PATIENCE;
use pseud_testkit::raw::{OK, UNAUTHORIZED, envelope, fresh_id, ready_declaring, work, works};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tokio::time::timeout;

const MIB: usize = 1 << 20;

/// A sweep of such a queue took about a millisecond, for each call that was refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s_11_a_call_to_a_peer_with_a_quarter_million_replies_is_refused_in_a_few_steps() {
    const LARGE: u64 = 300;
    const QUEUED: u64 = 240_000;
    const CALLS: usize = 5_000;
    let bench = Bench::with(|options| {
        // All of them are served, however many are read at once.
        options.config.limits.requests_open_per_peer_max = 1 << 20;
        options.config.limits.requests_open_max = 1 << 22;
        options.config.limits.queue_bytes_hard_max = 256 * MIB;
        options.config.limits.queue_bytes_total_max = 512 * MIB;
    })
    .await;
    let ready = ready_declaring("DEALER", "slow", "1;caps=7");
    let mut wire = bench.peer_saying(&ready).await;
    // What the sockets hold.
    wire.send(&works("large", LARGE as usize)).await;
    bench.until_spied(LARGE).await;
    let requests = works("spy", 1_000);
    for _ in 0..QUEUED / 1_000 {
        wire.send(&requests).await;
    }
    bench.until_spied(LARGE + QUEUED).await;
    assert!(bench.stats().requests_open as u64 > QUEUED, "they are queued");
    let slow = bench.server.peer("slow");
    let begun = Instant::now();
    for _ in 0..CALLS {
        let error = slow.call::<(), _>("x", ()).when_full(WhenFull::Refuse).await.unwrap_err();
        let full = matches!(error, CallError::Refused(CallRefused::QueueFull { .. }));
        assert!(full, "{error:?}");
    }
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?} for {CALLS} refusals");
    println!("{CALLS} refusals took {took:?}");
    bench.canary().await;
    wire.reset();
    bench.over(LARGE + QUEUED, &[]).await;
}

/// Whoever keeps a little of each message that a peer sends does not keep the messages.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s_13_a_small_part_of_large_messages_that_a_handler_keeps() {
    let test = "s_bounds::s_13_a_small_part_of_large_messages_that_a_handler_keeps";
    alone(test, 1_000, keep_little).await;
}

async fn keep_little() {
    const MESSAGES: usize = 60;
    static KEPT: Mutex<Vec<Value>> = Mutex::new(Vec::new());
    let bench = Bench::new().await;
    let keep = |request: pseud::Request| {
        let mut args = request.arguments().args_values();
        KEPT.lock().unwrap().push(args.swap_remove(0));
        Ok::<_, Fault>(())
    };
    bench.server.register_sync("keep", keep).unwrap();
    let client = Client::new("service").unwrap();
    client.connect(&format!("tcp://{}", bench.address)).unwrap();
    let before = reserved();
    for _ in 0..MESSAGES {
        let parts = (Value::Bin(vec![7; 512].into()), Value::Bin(vec![8; 7 * MIB].into()));
        timeout(PATIENCE, client.call::<(), _>("keep", parts)).await.unwrap().unwrap();
        bench.canary().await;
    }
    assert_eq!(KEPT.lock().unwrap().len(), MESSAGES);
    if let (Some(before), Some(after)) = (before, reserved()) {
        let grown = after.saturating_sub(before) / MIB;
        assert!(grown < MESSAGES * 7 / 3, "{grown} MiB for {MESSAGES} messages");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s_14_answers_that_nobody_waits_for() {
    for kind in [OK, pseud_testkit::raw::ERROR, UNAUTHORIZED] {
        let bench = Bench::new().await;
        let mut wire = bench.peer().await;
        let answers: Vec<_> = (0..1_000).flat_map(|_| envelope(&fresh_id(), kind, &[7])).collect();
        let mut sent = 0;
        while sent < 10_000 && wire.try_send(&answers).await {
            sent += 1;
        }
        assert!(sent < 10_000, "the link ended before ten million were sent");
        assert_eq!(bench.end(&wire).await, Reason::PeerFault(Misbehaved::Flood.into()));
        bench.canary().await;
        let dropped = bench.stats().dropped(Dropped::UnknownReply);
        assert!((2_000..10_000).contains(&dropped), "{dropped}");
        bench.over(0, &[(Dropped::UnknownReply, dropped)]).await;
    }
}

/// However many calls we give up: whoever answers each of them late, and once, has done no wrong.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s_14_late_answers_to_calls_that_were_given_up() {
    const ROUNDS: u64 = 10;
    const CALLS: u64 = 1_000;
    let (rogue, mut wire) = Rogue::new().await;
    let mut late = Vec::new();
    for _ in 0..ROUNDS {
        let calls: Vec<_> = (0..CALLS)
            .map(|_| {
                let victim = rogue.victim.clone();
                tokio::spawn(async move { victim.call::<u32, _>("question", ()).await })
            })
            .collect();
        for _ in 0..CALLS {
            late.extend(envelope(&wire.answer().await.0, OK, &[5]));
        }
        for call in calls {
            call.abort();
            assert!(call.await.unwrap_err().is_cancelled());
        }
    }
    rogue.canary().await;
    wire.send(&late).await;
    rogue.answered(&mut wire).await;
    rogue.over(&[(Dropped::UnknownReply, ROUNDS * CALLS)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s_15_an_open_id_again_after_more_than_are_remembered() {
    const OTHERS: u64 = 3_000;
    const ID: &[u8] = b"sixteen bytes...";
    let bench = Bench::new().await;
    let mut wire = bench.peer_declaring("1;caps=7").await;
    wire.send(&work(ID, "wait")).await;
    bench.until_spied(1).await;
    for _ in 0..OTHERS / 100 {
        for _ in 0..100 {
            wire.send(&work(&fresh_id(), "spy")).await;
        }
        for _ in 0..100 {
            assert_eq!(wire.answer().await.1, OK);
        }
        wire.send(&work(ID, "wait")).await;
        bench.canary().await;
    }
    bench.release.notify_one();
    assert_eq!(wire.answer().await, (ID.to_vec(), OK, vec![7]));
    // It is over, answered and long forgotten: now it is a request like any other.
    for _ in 0..2_000 {
        wire.spy().await;
    }
    wire.send(&work(ID, "spy")).await;
    assert_eq!(wire.answer().await, (ID.to_vec(), OK, vec![7]));
    assert_eq!(wire.finish().await, b"");
    bench.over(1 + OTHERS + 2_000 + 1, &[(Dropped::Duplicate, OTHERS / 100)]).await;
}
