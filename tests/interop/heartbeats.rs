//! Heartbeats with Python: its ticking plug-ins on either side, and libzmq's own both ways.

use crate::live::{PythonCalls, RustCalls, SERVICE, bounded, check_readers, serve};
use crate::python::PythonPeer;
use pseud::{Client, ConnectionEvent, HeartbeatBackends, Options, Reason, Role, Server, Ticking};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// As Python's ticking plug-ins tick.
const TICK: Duration = Duration::from_millis(100);
/// Time in which a ticking server of Python's gives up a silent client ten times.
const WHILE: Duration = Duration::from_secs(2);

/// A Rust client of that plug-in called `desk`, and what a ticking Python server says of it.
async fn gone_at_a_ticking_server(plugin: &str) -> Option<Value> {
    let python = PythonPeer::start()?;
    let server = json!({
        "name": "server", "user_id": SERVICE, "endpoint": "tcp://127.0.0.1:*",
        "security": {"heartbeat_plugin": "ticking"},
    });
    let bound = python.ask("server", server).await;
    let options = Options::client(SERVICE).identity("desk");
    let options = HeartbeatBackends::default().configure(Role::Client, plugin, options);
    let client = Client::with_options(options.expect("it is there")).expect("a runtime is there");
    serve(client.node());
    client.connect(bound["endpoint"].as_str().expect("a bound server says where")).unwrap();
    let hello: String = client.call("hello", ("Charly",)).await.expect("it answers");
    assert_eq!(hello, "Hello Charly");
    tokio::time::sleep(WHILE).await;
    let gone = python.ask("gone", json!({"name": "server"})).await;
    let called = python.ask("hello", json!({"name": "server", "to": "desk"})).await;
    assert_eq!(called["result"], "Hello again");
    check_readers(&python).await;
    Some(gone)
}

#[tokio::test]
async fn a_ticking_client_satisfies_pythons_ticking_server() {
    bounded(async {
        let Some(ticking) = gone_at_a_ticking_server("ticking").await else { return };
        assert_eq!(ticking, json!([]));
        let silent = gone_at_a_ticking_server("ping").await.expect("it ran before");
        assert_eq!(silent[0][0], "6465736b", "PINGs are no messages: {silent}");
    })
    .await;
}

#[tokio::test]
async fn a_ticking_server_keeps_pythons_ticking_client_and_lets_a_silent_one_go() {
    let mut backends = HeartbeatBackends::default();
    // Of a busy machine a tick may come late.
    let ticking = Ticking::new(TICK, Some(20 * TICK));
    backends.register(Role::Server, "patient", Arc::new(ticking));
    let options = backends.configure(Role::Server, "patient", Options::server(SERVICE)).unwrap();
    bounded(async {
        let Some(python) = PythonPeer::start() else { return };
        let server = Server::with_options(options).expect("a runtime is there");
        serve(server.node());
        let endpoint = server.bind("tcp://127.0.0.1:0").await.expect("loopback has a port");
        let mut events = server.events();
        for (name, plugin) in [("ticking", "ticking"), ("silent", "noop_heartbeat_backend")] {
            let client = json!({
                "name": name, "peer_id": SERVICE, "endpoint": endpoint,
                "security": {"heartbeat_plugin": plugin}, "options": {"IDENTITY": name},
            });
            python.ask("client", client).await;
            let event = events.next().await;
            assert!(matches!(event, Some(ConnectionEvent::Connected { .. })), "{event:?}");
        }
        match events.next().await {
            Some(ConnectionEvent::Disconnected { identity, reason, .. }) => {
                assert_eq!((&identity[..], reason), (&b"silent"[..], Reason::HeartbeatTimeout));
            }
            other => panic!("{other:?}"),
        }
        let hello: String = server.peer("ticking").call("hello", ("again",)).await.expect("it lives");
        assert_eq!(hello, "Hello again");
        assert!(server.stats().heartbeats >= 10, "{:?}", server.stats());
        // It was sent as many.
        let received = python.ask("received", json!({"name": "ticking", "count": 10})).await;
        let beat = json!([{"$bytes": ""}, {"$bytes": "7631"}, {"$bytes": ""}, {"$bytes": "06"}, {"$bytes": ""}]);
        let is_beat = |frames: &&Value| frames.as_array().is_some_and(|all| all[1..] == *beat.as_array().unwrap());
        assert!(received.as_array().unwrap().iter().filter(is_beat).count() >= 5, "{received}");
    })
    .await;
}

/// libzmq's own PINGs, and ours, are answered either way: nobody is given up in many time-outs.
#[tokio::test]
async fn libzmqs_heartbeats_go_both_ways() {
    let pinging = |mut options: Options| {
        options.connection.heartbeat.interval = Some(TICK);
        options.connection.heartbeat.timeout = 10 * TICK;
        options
    };
    PythonCalls::with(pinging(Options::server(SERVICE)), 5.0, async |room| {
        let beats = json!({"HEARTBEAT_IVL": 100, "HEARTBEAT_TIMEOUT": 1000, "HEARTBEAT_TTL": 1000});
        let peer = room.connect("beating", 5.0, beats).await;
        let mut events = room.server.events();
        assert!(tokio::time::timeout(3 * 10 * TICK, events.next()).await.is_err());
        let hello: String = peer.call("hello", ("again",)).await.expect("it serves");
        assert_eq!(hello, "Hello again");
    })
    .await;
    RustCalls::with(pinging(Options::client(SERVICE)), async |room| {
        let mut events = room.client.events();
        assert!(tokio::time::timeout(3 * 10 * TICK, events.next()).await.is_err());
    })
    .await;
}
