//! Python peers that are gone without a word: stopped, or cut off. They are missed in time, once, and what
//! was asked of them ends at once.

#![cfg(unix)]

use crate::live::{SERVICE, bounded, serve};
use crate::python::PythonPeer;
use pseud::{
    CallError, ConnectionEvent, Events, Options, Peer, Presence, PresenceEvent, Reason, Server,
};
use pseud_testkit::path::BlackHole;
use serde_json::json;
use std::process::Command;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const TICK: Duration = Duration::from_millis(200);
const TIMEOUT: Duration = Duration::from_millis(1_000);
/// A machine under test is busy.
const LATE: Duration = Duration::from_secs(3);

/// A server that PINGs often, and who comes and goes there.
async fn server() -> (Server, String, Presence) {
    let mut options = Options::server(SERVICE).call_timeout(Duration::from_secs(600));
    options.connection.heartbeat.interval = Some(TICK);
    options.connection.heartbeat.timeout = TIMEOUT;
    let server = Server::with_options(options).expect("a runtime is there");
    serve(server.node());
    let endpoint = server.bind("tcp://127.0.0.1:0").await.expect("loopback has a port");
    let presence = server.presence();
    (server, endpoint.into(), presence)
}

/// A Python client that connects there, and its session.
async fn client(python: &PythonPeer, endpoint: &str, presence: &mut Presence) -> Peer {
    let client = json!({"name": "client", "peer_id": SERVICE, "endpoint": endpoint});
    python.ask("client", client).await;
    match presence.next().await {
        Some(PresenceEvent::Joined { peer, .. }) => peer,
        other => panic!("{other:?}"),
    }
}

/// Eight calls of handlers that take a minute, all of them under way.
async fn calls(python: &PythonPeer, peer: &Peer) -> JoinSet<Result<f64, CallError>> {
    let mut calls = JoinSet::new();
    for _ in 0..8 {
        let peer = peer.clone();
        calls.spawn(async move { peer.call::<f64, _>("sleep", (60.0,)).await });
    }
    // A v1 reader runs one at a time: the first is at work, the others have been written.
    python.ask("calls", json!({"name": "client", "count": 1})).await;
    calls
}

/// It left once, in time, and the calls with it.
async fn is_missed(
    since: Instant,
    mut events: Events,
    mut presence: Presence,
    calls: JoinSet<Result<f64, CallError>>,
) {
    match presence.next().await {
        Some(PresenceEvent::Left { reason, .. }) => {
            assert_eq!(reason, Some(Reason::HeartbeatTimeout));
        }
        other => panic!("{other:?}"),
    }
    let took = since.elapsed();
    assert!(took >= TIMEOUT - TICK - TICK && took < TIMEOUT + TICK + LATE, "{took:?}");
    for ended in calls.join_all().await {
        assert!(matches!(ended, Err(CallError::Unknown(Reason::HeartbeatTimeout))), "{ended:?}");
    }
    assert!(since.elapsed() < took + LATE, "calls end with their session");
    let mut ends = 0;
    while let Ok(Some(event)) = tokio::time::timeout(TIMEOUT, events.next()).await {
        ends += u32::from(matches!(event, ConnectionEvent::Disconnected { .. }));
    }
    assert_eq!(ends, 1);
}

#[tokio::test]
async fn a_stopped_process_is_missed() {
    bounded(async {
        let Some(python) = PythonPeer::start() else { return };
        let (server, endpoint, mut presence) = server().await;
        let peer = client(&python, &endpoint, &mut presence).await;
        let (calls, events) = (calls(&python, &peer).await, server.events());
        let pid = python.pid().to_string();
        let stopped = Command::new("kill").args(["-STOP", &pid]).status().expect("kill is there");
        assert!(stopped.success());
        is_missed(Instant::now(), events, presence, calls).await;
        // Its kernel has taken what was written: it wakes up to a link that has ended, and comes back.
        assert!(
            Command::new("kill").args(["-CONT", &pid]).status().expect("it is there").success()
        );
        let mut presence = server.presence();
        let back = presence.next().await;
        assert!(matches!(back, Some(PresenceEvent::Joined { .. })), "{back:?}");
    })
    .await;
}

#[tokio::test]
async fn a_peer_behind_a_black_hole_is_missed() {
    bounded(async {
        let Some(python) = PythonPeer::start() else { return };
        let (server, endpoint, mut presence) = server().await;
        let hole = BlackHole::open(&endpoint).await;
        let peer = client(&python, &hole.endpoint, &mut presence).await;
        let (calls, events) = (calls(&python, &peer).await, server.events());
        is_missed(hole.swallow(), events, presence, calls).await;
    })
    .await;
}

/// A Python reader that works for many time-outs answers no call meanwhile, but its libzmq answers PINGs.
#[tokio::test]
async fn a_long_handler_of_pythons_does_not_look_dead() {
    bounded(async {
        let Some(python) = PythonPeer::start() else { return };
        let (server, endpoint, mut presence) = server().await;
        let peer = client(&python, &endpoint, &mut presence).await;
        let mut events = server.events();
        let slept: f64 = peer.call("sleep", (6.0,)).await.expect("it answers");
        assert_eq!(slept, 6.0);
        let nothing = tokio::time::timeout(Duration::ZERO, events.next()).await;
        assert!(nothing.is_err(), "{nothing:?}");
    })
    .await;
}
