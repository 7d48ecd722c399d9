//! Greetings (ZMTP 3.1 §greeting) that take their time. What is wrong with others is in `attacks`.

use crate::bench::Bench;
use pseud::Reason;
use pseud::proto::Misbehaved;
use pseud_testkit::raw::{RawPeer, greeting, opening, ready};
use std::time::Duration;
use tokio::time::{Instant, interval};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_02_a_byte_now_and_then() {
    let slow = Duration::from_millis(300);
    let bench = Bench::with(|options| options.connection.greeting_timeout = slow).await;
    let mut wire = bench.connect().await;
    let since = Instant::now();
    dribble(&mut wire, &greeting()).await;
    assert!(since.elapsed() >= slow);
    bench.canary().await;
    assert_eq!(wire.closed().await, opening());
    assert_eq!(bench.end(&wire).await, Reason::PeerFault(Misbehaved::HandshakeTimeout.into()));
    bench.over(0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_02_a_byte_of_the_handshake_now_and_then() {
    let slow = Duration::from_millis(300);
    let bench = Bench::with(|options| options.connection.handshake_timeout = slow).await;
    let mut wire = bench.connect().await;
    let since = Instant::now();
    wire.send(&greeting()).await;
    dribble(&mut wire, &ready("DEALER", "")).await;
    assert!(since.elapsed() >= slow);
    bench.canary().await;
    assert_eq!(wire.closed().await, opening());
    assert_eq!(bench.end(&wire).await, Reason::PeerFault(Misbehaved::HandshakeTimeout.into()));
    bench.over(0, &[]).await;
}

/// Sends a byte every 30 ms until the other side has had enough.
async fn dribble(wire: &mut RawPeer, bytes: &[u8]) {
    let mut pace = interval(Duration::from_millis(30));
    for byte in bytes {
        pace.tick().await;
        if !wire.try_send(&[*byte]).await {
            return;
        }
    }
    panic!("the last byte was taken");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_10_many_that_stay_silent() {
    let limit = Duration::from_millis(800);
    let bench = Bench::with(|options| {
        options.connection.greeting_timeout = limit;
        // All of them are let through: who is not is told of in `strangers`.
        options.admission.strangers.handshakes_drop_from = 256;
    })
    .await;
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push((bench.connect().await, Instant::now()));
    }
    bench.canary().await;
    for (mut wire, since) in silent {
        assert_eq!(wire.closed().await, opening());
        // The server's clock starts when it accepts, which may be a little before we know of it.
        assert!(since.elapsed() >= limit - Duration::from_millis(100));
    }
    bench.over(0, &[]).await;
}
