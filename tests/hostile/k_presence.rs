//! HOSTILE K over sockets: signs of life that are forged, wrong or missing.

use crate::bench::{Bench, end_of};
use pseud::{CallError, Client, Options, PresenceEvent, Reason};
use pseud_testkit::raw::{self, RawPeer, envelope, work};
use std::time::{Duration, Instant};
use tokio::time::timeout;

const HEARTBEAT: u8 = 0x06;
const INTERVAL: Duration = Duration::from_millis(100);
const TIMEOUT: Duration = Duration::from_secs(1);
/// A machine under test is busy.
const LATE: Duration = Duration::from_secs(3);

async fn pinging() -> Bench {
    Bench::with(|options| {
        options.connection.heartbeat.interval = Some(INTERVAL);
        options.connection.heartbeat.timeout = TIMEOUT;
    })
    .await
}

/// The next message, and all PINGs before it unanswered.
async fn message(wire: &mut RawPeer) -> Vec<Vec<u8>> {
    timeout(raw::PATIENCE, wire.message()).await.expect("nothing comes")
}

#[tokio::test]
async fn k_01_a_heartbeat_says_nothing_of_who_sends_it() {
    let bench = Bench::new().await;
    let mut presence = bench.server.presence();
    let mut wire = bench.peer_named("mallory").await;
    for body in [&b"canary"[..], b"\xa6canary", b"\x92\xa6canary\xa6canary"] {
        wire.send(&envelope(b"canary", HEARTBEAT, body)).await;
    }
    wire.spy().await;
    bench.until(|stats| stats.heartbeats == 3).await;
    let mut there = Vec::new();
    for _ in 0..2 {
        match timeout(raw::PATIENCE, presence.next()).await.unwrap() {
            Some(PresenceEvent::Joined { info, .. }) => there.push(info.identity.clone()),
            other => panic!("{other:?}"),
        }
    }
    assert!(there.contains(&"mallory".into()) && !there.contains(&"canary".into()), "{there:?}");
    assert!(bench.server.peers().all(|peer| peer.user().is_anonymous()));
    assert!(timeout(Duration::ZERO, presence.next()).await.is_err(), "nobody came or went");
    drop(wire);
    bench.over(1, &[]).await;
}

#[tokio::test]
async fn k_02_who_beats_and_answers_nothing_stays_and_its_calls_time_out() {
    let bench = pinging().await;
    let mut wire = bench.peer_named("mute").await;
    let began = Instant::now();
    let peer = bench.server.peer("mute");
    let call = tokio::spawn(peer.call::<(), _>("name", ()).timeout(3 * TIMEOUT).into_future());
    while !call.is_finished() {
        wire.send(&envelope(b"", HEARTBEAT, b"")).await;
        tokio::time::sleep(INTERVAL).await;
    }
    let error = call.await.unwrap().unwrap_err();
    assert!(matches!(error, CallError::Unknown(Reason::TimedOut)), "{error:?}");
    assert!(began.elapsed() >= 3 * TIMEOUT && bench.server.peer("mute").is_connected());
    drop(wire);
    bench.over(0, &[]).await;
}

#[tokio::test]
async fn k_03_data_is_a_sign_of_life_where_no_ping_is_answered() {
    let bench = pinging().await;
    let mut wire = bench.peer_named("busy").await;
    let began = Instant::now();
    let mut spied = 0;
    while began.elapsed() < 4 * TIMEOUT {
        wire.send(&work(&raw::fresh_id(), "spy")).await;
        assert_eq!(message(&mut wire).await[3], [raw::OK]);
        spied += 1;
        tokio::time::sleep(INTERVAL).await;
    }
    assert!(bench.server.peer("busy").is_connected());
    drop(wire);
    bench.over(spied, &[]).await;
}

#[tokio::test]
async fn k_04_silence_is_found_in_time_ends_all_calls_and_is_told_once() {
    let bench = pinging().await;
    let mut presence = bench.server.presence();
    let before = Instant::now();
    let mut wire = bench.peer_named("silent").await;
    let peer = bench.server.peer("silent");
    let calls: Vec<_> = (0..8)
        .map(|_| tokio::spawn(peer.call::<(), _>("name", ()).timeout(60 * TIMEOUT).into_future()))
        .collect();
    for _ in 0..8 {
        message(&mut wire).await;
    }
    // Its last byte was the PING of its handshake.
    let began = Instant::now();
    assert_eq!(bench.end(&wire).await, Reason::HeartbeatTimeout);
    let took = began.elapsed();
    assert!(took < TIMEOUT + INTERVAL + LATE, "{took:?}");
    assert!(before.elapsed() >= TIMEOUT, "whoever spoke a moment ago is not gone");
    for call in calls {
        let error = call.await.unwrap().unwrap_err();
        assert!(matches!(error, CallError::Unknown(Reason::HeartbeatTimeout)), "{error:?}");
    }
    let mut leaves = 0;
    while let Ok(Some(event)) = timeout(TIMEOUT, presence.next()).await {
        leaves += u32::from(matches!(event, PresenceEvent::Left { .. }));
    }
    assert_eq!(leaves, 1);
    bench.over(0, &[]).await;
}

/// Whose PINGs are rare is asked by us, and answers: nobody needs to agree on anything.
#[tokio::test]
async fn k_11_intervals_that_differ_cost_nobody_its_link() {
    let bench = pinging().await;
    let mut rare = Options::client("service").identity("rare");
    rare.connection.heartbeat.interval = Some(Duration::from_secs(60));
    rare.connection.heartbeat.timeout = Duration::from_secs(180);
    let client = Client::with_options(rare).unwrap();
    let mut events = client.events();
    client.connect(&format!("tcp://{}", bench.address)).unwrap();
    timeout(raw::PATIENCE, client.ready()).await.unwrap();
    while timeout(Duration::ZERO, events.next()).await.is_ok() {}
    let event = timeout(5 * TIMEOUT, events.next()).await;
    assert!(event.is_err(), "{event:?}");
    assert!(bench.server.peer("rare").is_connected());
    // It is found out at our pace when it is gone.
    let mut server = bench.server.events();
    let address = bench.server.peer("rare").info().unwrap().address.parse().unwrap();
    client.shutdown();
    assert_eq!(end_of(&mut server, address).await, Reason::PeerGone);
    bench.over(0, &[]).await;
}
