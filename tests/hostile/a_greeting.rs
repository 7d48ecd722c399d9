//! Greetings (ZMTP 3.1 §greeting).

use crate::bench::Bench;
use pseud::Reason;
use pseud::proto::{Incompatible, Malformed, Misbehaved, PeerError};
use pseud_testkit::raw::RawPeer;
use pseud_testkit::raw::{greeting, greeting_with, handshake, ready, ready_declaring};
use std::time::Duration;
use tokio::time::{Instant, interval};

/// What our side says, whoever is there.
fn ours() -> Vec<u8> {
    let mut ours = greeting_with(8, &[8]);
    ours.extend(ready_declaring("ROUTER", "service", "1;caps=7;max=8388608"));
    ours
}

/// Sends it and expects nothing but our own greeting and READY, and the end.
async fn refused(bench: &Bench, bytes: &[u8], why: impl Into<PeerError>) {
    let mut wire = bench.connect().await;
    let greeting = wire.greeting().await;
    wire.try_send(bytes).await;
    let rest = wire.closed().await;
    assert_eq!([&greeting[..], &rest].concat(), ours(), "after {bytes:x?}");
    assert_eq!(bench.end(&wire).await, Reason::PeerFault(why.into()), "after {bytes:x?}");
}

/// Shakes hands with that greeting; the link then works.
async fn accepted(bench: &Bench, greeting: &[u8]) {
    let mut wire = bench.connect().await;
    wire.shake_hands(greeting, &ready("DEALER", "")).await;
    wire.spy().await;
    assert_eq!(wire.finish().await, b"");
    assert_eq!(bench.end(&wire).await, Reason::PeerGone);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_01_cut_at_each_byte() {
    let bench = Bench::new().await;
    for cut in 0..64 {
        let mut wire = bench.connect().await;
        wire.send(&greeting()[..cut]).await;
        assert_eq!(wire.finish().await, ours(), "{cut}");
        let incomplete = Reason::PeerFault(Misbehaved::HandshakeIncomplete.into());
        assert_eq!(bench.end(&wire).await, incomplete);
        assert_eq!(bench.stats().sessions, 1);
    }
    bench.canary().await;
    bench.over(0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_02_a_byte_now_and_then() {
    let slow = Duration::from_millis(300);
    let bench = Bench::with(|options| options.connection.greeting_timeout = slow).await;
    let mut wire = bench.connect().await;
    let since = Instant::now();
    dribble(&mut wire, &greeting()).await;
    assert!(since.elapsed() >= slow);
    bench.canary().await;
    assert_eq!(wire.closed().await, ours());
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
    assert_eq!(wire.closed().await, ours());
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
async fn a_03_bad_signature() {
    let bench = Bench::new().await;
    for byte in [0x00, 0x7e, 0xfe] {
        refused(&bench, &greeting_with(9, &[byte]), Malformed::NotZmtp).await;
        bench.canary().await;
    }
    bench.over(0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_06_zmtp_1_and_2() {
    let bench = Bench::new().await;
    refused(&bench, b"\x01\x00", Malformed::NotZmtp).await;
    for major in [0, 1, 2] {
        refused(&bench, &greeting_with(10, &[major])[..11], Incompatible::UnsupportedVersion).await;
        bench.canary().await;
    }
    bench.over(0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_07_later_versions() {
    let bench = Bench::new().await;
    for version in [[3, 0], [3, 9], [4, 0], [255, 255]] {
        accepted(&bench, &greeting_with(10, &version)).await;
        bench.canary().await;
    }
    bench.over(4, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_08_other_mechanisms() {
    let bench = Bench::new().await;
    let mechanisms: [&[u8; 20]; 6] = [
        b"FOO\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        b"PLAIN\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        b"CURVE\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        b"null\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        b"NULL               \0",
        b"NULLNULLNULLNULLNULL",
    ];
    for mechanism in mechanisms {
        refused(&bench, &greeting_with(12, mechanism), Incompatible::MechanismMismatch).await;
        bench.canary().await;
    }
    bench.over(0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_09_other_protocols() {
    let bench = Bench::new().await;
    let random: Vec<u8> =
        (0..5_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let openings: [&[u8]; 5] = [
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"\x00",
        &random,
    ];
    for bytes in openings {
        refused(&bench, bytes, Malformed::NotZmtp).await;
        bench.canary().await;
    }
    bench.over(0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_10_many_that_stay_silent() {
    let limit = Duration::from_millis(800);
    let bench = Bench::with(|options| options.connection.greeting_timeout = limit).await;
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push((bench.connect().await, Instant::now()));
    }
    bench.canary().await;
    for (mut wire, since) in silent {
        assert_eq!(wire.closed().await, ours());
        // The server's clock starts when it accepts, which may be a little before we know of it.
        assert!(since.elapsed() >= limit - Duration::from_millis(100));
    }
    bench.over(0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_11_as_server_is_never_judged() {
    let bench = Bench::new().await;
    for byte in [0, 1, 255] {
        accepted(&bench, &greeting_with(32, &[byte])).await;
        bench.canary().await;
    }
    bench.over(3, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_12_padding_and_filler_are_never_judged() {
    let bench = Bench::new().await;
    accepted(&bench, &greeting_with(1, &[0xaa; 8])).await;
    bench.canary().await;
    accepted(&bench, &greeting_with(33, &[0xaa; 31])).await;
    bench.over(2, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_12_greeting_and_ready_in_one_write() {
    let bench = Bench::new().await;
    let mut wire = bench.connect().await;
    wire.send(&handshake()).await;
    let mut said = wire.greeting().await.to_vec();
    said.extend(&ours()[64..]);
    assert_eq!(said, ours());
    assert!(wire.frame().await.body.starts_with(b"\x05READY"));
    wire.spy().await;
    bench.canary().await;
    assert_eq!(wire.finish().await, b"");
    bench.over(1, &[]).await;
}
