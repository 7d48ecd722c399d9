//! Envelopes that a server is sent (pseud's Protocol v1).

use crate::bench::Bench;
use pseud::proto::pseud::Dropped;
use pseud::proto::{Malformed, Misbehaved, PeerError};
use pseud::{Options, Reason};
use pseud_testkit::raw::{
    AUTHENTICATED, ERROR, HEARTBEAT, HELLO, OK, UNAUTHORIZED, WORK, envelope, frame, message, work,
    work_body,
};

const ID: &[u8] = b"sixteen bytes...";

/// Each of them is passed over: the call behind it is answered.
async fn passed_over(bench: &Bench, messages: &[Vec<u8>]) {
    let mut wire = bench.peer().await;
    for message in messages {
        wire.send(message).await;
        wire.spy().await;
    }
    bench.canary().await;
    assert_eq!(wire.finish().await, b"");
    assert_eq!(bench.end(&wire).await, Reason::PeerGone);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f_01_wrong_numbers_of_frames() {
    let bench = Bench::new().await;
    for count in [2, 3, 4, 6, 16] {
        let mut parts = vec![&b""[..]; count];
        parts[1] = b"v1";
        let bad = message(&parts);
        let mut wire = bench.peer().await;
        for _ in 0..2 {
            wire.send(&bad).await;
            wire.spy().await;
        }
        bench.canary().await;
        wire.send(&[bad, work(ID, "spy")].concat()).await;
        assert_eq!(wire.closed().await, b"", "{count}");
        let why = Reason::PeerFault(Malformed::BadEnvelope.into());
        assert_eq!(bench.end(&wire).await, why, "{count}");
    }
    bench.over(10, &[(Dropped::BadEnvelope, 15)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f_01_probes() {
    let bench = Bench::new().await;
    let before = bench.stats().probes;
    passed_over(&bench, &[message(&[b""]), message(&[b"v1"]), message(&[&[0; 300]])]).await;
    assert_eq!(bench.stats().probes, before + 3);
    bench.over(3, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f_02_delimiters() {
    let bench = Bench::new().await;
    let body = work_body("spy");
    let missing = message(&[b"v1", ID, &[WORK], &body]);
    let full = |delimiter| message(&[delimiter, b"v1", ID, &[WORK], &body]);
    passed_over(&bench, &[missing, full(&b"\0"[..]), full(b"v1"), full(&[0; 300])]).await;
    bench.over(4, &[(Dropped::BadEnvelope, 1), (Dropped::Delimiter, 3)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f_03_versions() {
    let bench = Bench::new().await;
    let long = vec![b'v'; 64 << 10];
    let versions = [&b"v2"[..], b"V1", b"", b"v1\0", b"v", &long];
    let other = |version: &[u8]| message(&[b"", version, ID, &[WORK], &work_body("spy")]);
    passed_over(&bench, &versions.map(other)).await;
    bench.over(6, &[(Dropped::Version, 6)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f_03_versions_of_a_peer_that_reads_outcomes() {
    let bench = Bench::new().await;
    let other = |kind| message(&[b"", b"v2", ID, &[kind], &work_body("spy")]);
    for _ in 0..2 {
        let mut wire = bench.peer_declaring("1;caps=2").await;
        // Neither an answer nor an id of no use is answered; it is the first WORK that is.
        let long = message(&[b"", b"v2", &[1; 65], &[WORK], &work_body("spy")]);
        wire.send(&[other(OK), other(ERROR), other(0x77), long].concat()).await;
        wire.spy().await;
        wire.send(&other(WORK)).await;
        let (id, kind, body) = wire.answer().await;
        assert_eq!((&id[..], kind), (ID, ERROR));
        assert_eq!(body[0], 0x94);
        assert!(body.ends_with(b"\x82\xa7outcome\xacnot_executed\xa4code\xa7version"), "{body:x?}");
        for _ in 0..5 {
            wire.send(&other(WORK)).await;
            wire.spy().await;
        }
        bench.canary().await;
        assert_eq!(wire.finish().await, b"");
    }
    bench.over(12, &[(Dropped::Version, 20)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f_04_ids() {
    let bench = Bench::new().await;
    let mut wire = bench.peer().await;
    for len in 0..=64 {
        let id: Vec<u8> = (0..len).collect();
        wire.send(&work(&id, "spy")).await;
        assert_eq!(wire.answer().await, (id, OK, vec![7]));
    }
    assert_eq!(wire.finish().await, b"");
    let long = [65, 255, 256, 300, 70_000].map(|len| work(&vec![1; len], "spy"));
    passed_over(&bench, &long).await;
    bench.over(65 + 5, &[(Dropped::Id, 5)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f_05_f_06_kinds() {
    let bench = Bench::new().await;
    let typed = |kind: &[u8]| message(&[b"", b"v1", ID, kind, &work_body("spy")]);
    passed_over(&bench, &[typed(b""), typed(&[WORK, WORK]), typed(&[WORK, 0]), typed(&[3; 300])])
        .await;
    let known = [OK, HELLO, WORK, AUTHENTICATED, HEARTBEAT, ERROR, UNAUTHORIZED];
    let unknown: Vec<_> =
        (0..=255).filter(|kind| !known.contains(kind)).map(|kind| typed(&[kind])).collect();
    assert_eq!(unknown.len(), 249);
    passed_over(&bench, &unknown).await;
    bench.over(4 + 249, &[(Dropped::Kind, 4 + 249)]).await;
}

/// A budget of 10, for good.
fn ten(options: &mut Options) {
    options.config.limits.flood.burst = 10;
    options.config.limits.flood.per_second = 0;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f_06_f_07_floods() {
    let bench = Bench::with(ten).await;
    for kind in [0x05, HEARTBEAT, AUTHENTICATED] {
        let mut wire = bench.peer().await;
        wire.send(&envelope(b"", kind, b"").repeat(10)).await;
        wire.spy().await;
        bench.canary().await;
        wire.try_send(&envelope(b"", kind, b"").repeat(100_000)).await;
        assert_eq!(wire.closed().await, b"");
        assert_eq!(bench.end(&wire).await, Reason::PeerFault(Misbehaved::Flood.into()));
    }
    assert_eq!(bench.stats().heartbeats, 11);
    bench.over(3, &[(Dropped::Kind, 11), (Dropped::Unsolicited, 11)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f_07_heartbeats_with_more_than_they_need() {
    let bench = Bench::new().await;
    let large = vec![0xc1; 100_000];
    let beats = [(&b""[..], &b""[..]), (ID, b""), (b"", b"somebody else"), (ID, &large)];
    passed_over(&bench, &beats.map(|(id, body)| envelope(id, HEARTBEAT, body))).await;
    assert_eq!(bench.stats().heartbeats, 4);
    bench.over(4, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f_08_f_09_answers_that_a_server_never_asked_for() {
    let bench = Bench::new().await;
    let unsolicited = [AUTHENTICATED, HELLO].map(|kind| envelope(ID, kind, b"Welcome"));
    passed_over(&bench, &unsolicited).await;
    let unknown = [OK, ERROR, UNAUTHORIZED].map(|kind| envelope(ID, kind, b"\xc0"));
    passed_over(&bench, &unknown).await;
    passed_over(&bench, &[envelope(b"", OK, b""), envelope(&[1; 64], ERROR, b"")]).await;
    assert_eq!(bench.stats().sessions, 1);
    bench.over(7, &[(Dropped::Unsolicited, 2), (Dropped::UnknownReply, 5)]).await;
}

/// A call whose body has that many bytes in all.
fn work_of(size: usize) -> Vec<u8> {
    let mut body = b"\x93\xa3spy\x91\xc5".to_vec();
    let filling = size - body.len() - 3;
    body.extend((filling as u16).to_be_bytes());
    body.resize(size - 1, 1);
    body.push(0x80);
    envelope(&size.to_be_bytes(), WORK, &body)
}

fn small(options: &mut Options) {
    options.config.limits.body_bytes_max = 1_000;
    options.connection.limits.frame_bytes_max = 2_000;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f_13_bodies_at_the_limit_and_over() {
    let bench = Bench::with(small).await;
    let mut wire = bench.peer().await;
    wire.send(&work_of(1_000)).await;
    assert_eq!(wire.answer().await, (1_000usize.to_be_bytes().to_vec(), OK, vec![7]));
    for size in [1_001, 2_000] {
        wire.send(&work_of(size)).await;
        let (id, kind, body) = wire.answer().await;
        assert_eq!((&id[..], kind), (&size.to_be_bytes()[..], ERROR));
        assert!(body.starts_with(b"\x93\xa8TooLarge"), "{body:x?}");
    }
    wire.spy().await;
    bench.canary().await;
    assert_eq!(bench.stats().requests_refused, 2);
    wire.send(&work_of(2_001)).await;
    assert_eq!(wire.closed().await, b"");
    let why = PeerError::TooLarge { what: "frame bytes", size: 2_001, max: 2_000 };
    assert_eq!(bench.end(&wire).await, Reason::PeerFault(why));
    bench.over(2, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f_13_results_over_the_limit() {
    let bench = Bench::with(small).await;
    let mut wire = bench.peer().await;
    wire.send(&work(ID, "large")).await;
    let (id, kind, body) = wire.answer().await;
    assert_eq!((&id[..], kind), (ID, ERROR));
    assert!(body.starts_with(b"\x93\xa8TooLarge"), "{body:x?}");
    wire.send(&frame(0, b"")).await;
    wire.spy().await;
    bench.canary().await;
    assert_eq!(wire.finish().await, b"");
    bench.over(2, &[]).await;
}
