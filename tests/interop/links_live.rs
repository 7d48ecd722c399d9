//! Links to Python: other sockets, ipc, and either side gone and come back under calls.

use std::net::TcpListener;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use pseud::{CallError, Client, ConnectionEvent, Options, Reason, Server};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::live::{PythonCalls, RustCalls, SERVICE, bounded, serve, until};
use crate::python::PythonPeer;
use crate::talk::{error, hex};

/// Time in which the loss of a link on one machine must be known, however busy that is.
const LOSS_TIMEOUT: Duration = Duration::from_secs(2);

/// How many calls are pending when a side goes away.
const PENDING: usize = 20;

#[tokio::test]
async fn a_python_client_finds_a_restarted_rust_server() {
    PythonCalls::hold(async |room| {
        let first = Server::new("phoenix").expect("a runtime is there");
        serve(first.node());
        let endpoint = first.bind("tcp://127.0.0.1:0").await.expect("loopback has a port");
        connect(&room.python, "moth", "phoenix", &endpoint).await;
        assert_eq!(hello(&room.python, "moth").await, "Hello again");
        let calls = vec![json!({"method": "sleep", "args": [60]}); PENDING];
        let pending = room.python.send("call_many", json!({"name": "moth", "calls": calls}));
        until("all calls are open", || first.stats().requests_open == PENDING).await;
        first.shutdown();
        drop(first);
        let second = Server::new("phoenix").expect("a runtime is there");
        serve(second.node());
        // Python processes that other tests start hold a copy of the closed socket until they begin.
        while second.bind(&endpoint).await.is_err() {
            tokio::task::yield_now().await;
        }
        shaken(&room.python, "moth", 2).await;
        assert_eq!(hello(&room.python, "moth").await, "Hello again");
        // v1 has no word for the loss of a call.
        let lost = pending.done().await;
        let lost = lost.as_array().expect("one outcome a call");
        assert!(lost.iter().all(|outcome| error(outcome).0 == "TimeoutError"), "{lost:?}");
        assert_eq!(hello(&room.python, "moth").await, "Hello again");
    })
    .await;
}

#[tokio::test]
async fn a_rust_client_finds_a_python_server_that_was_killed_and_started_again() {
    let Some(killed) = PythonPeer::start() else { return };
    let endpoint = free_endpoint();
    bounded(async {
        start_server(&killed, "server", &endpoint).await;
        let client = eager_client(&endpoint);
        client.ready().await;
        let mut pending = JoinSet::new();
        for _ in 0..PENDING {
            let client = client.clone();
            pending.spawn(async move { client.call::<f64, _>("sleep", (60.0,)).await });
        }
        // The first one runs, the others lie before its serial reader.
        killed.ask("calls", json!({"name": "server", "count": 1})).await;
        until("all calls are made", || client.stats().calls_made == PENDING as u64).await;
        let started = Instant::now();
        drop(killed);
        for ended in pending.join_all().await {
            assert!(matches!(ended, Err(CallError::Unknown(Reason::PeerGone))), "{ended:?}");
        }
        assert!(started.elapsed() < LOSS_TIMEOUT, "{:?}", started.elapsed());
        // A call made while nobody is there waits for the next one.
        let waiting = greet(&client);
        let again = PythonPeer::start().expect("it was started before");
        start_server(&again, "server", &endpoint).await;
        assert_eq!(waiting.await.expect("no panic"), "Hello later");
        check_alive(&client, &again).await;
    })
    .await;
}

#[tokio::test]
async fn a_rust_client_may_be_there_before_its_python_server() {
    let Some(python) = PythonPeer::start() else { return };
    let endpoint = free_endpoint();
    bounded(async {
        let client = eager_client(&endpoint);
        let mut events = client.events();
        let waiting = greet(&client);
        while !matches!(events.next().await, Some(ConnectionEvent::ConnectFailed { .. })) {}
        start_server(&python, "server", &endpoint).await;
        assert_eq!(waiting.await.expect("no panic"), "Hello later");
        check_alive(&client, &python).await;
    })
    .await;
}

#[tokio::test]
async fn python_connects_to_a_path_bound_by_rust() {
    let path = SocketPath::new("rust");
    PythonCalls::hold(async |room| {
        let bound = room.server.bind(&path.endpoint()).await.expect("a fresh path");
        connect(&room.python, "ipc", SERVICE, &bound).await;
        assert_eq!(hello(&room.python, "ipc").await, "Hello again");
    })
    .await;
}

#[tokio::test]
async fn rust_connects_to_a_path_bound_by_python() {
    let path = SocketPath::new("python");
    let Some(python) = PythonPeer::start() else { return };
    bounded(async {
        start_server(&python, "server", &path.endpoint()).await;
        let client = eager_client(&path.endpoint());
        check_alive(&client, &python).await;
    })
    .await;
}

#[tokio::test]
async fn a_sync_client_calls_a_rust_server() {
    PythonCalls::hold(async |room| {
        let fields = json!({"name": "sync", "endpoint": room.endpoint});
        room.python.ask("sync_client", fields).await;
        for _ in 0..3 {
            assert_eq!(hello(&room.python, "sync").await, "Hello again");
        }
        let fields =
            json!({"name": "sync", "method": "fail", "args": ["ValueError", "why"], "to": ""});
        let failed = room.python.ask("call", fields).await;
        assert_eq!(error(&failed), ("ValueError", "why"));
        room.python.ask("stop", json!({"name": "sync"})).await;
    })
    .await;
}

/// DEALER writes the delimiter itself, REQ has it written.
#[tokio::test]
async fn plain_dealer_and_req_sockets_call_a_rust_server() {
    const HELLO: &[u8] = b"\x93\xa5hello\x91\xa1x\x80";
    PythonCalls::hold(async |room| {
        for (kind, delimiter) in [("DEALER", &[""][..]), ("REQ", &[])] {
            let fields = json!({"name": kind, "type": kind, "connect": room.endpoint});
            room.python.ask("raw", fields).await;
            let message = |kind: &[u8], body: &[u8]| {
                let uuid = [0xab; 16];
                let parts = [b"v1", &uuid[..], kind, body].map(hex);
                let parts = delimiter.iter().copied().map(str::to_owned).chain(parts);
                json!(parts.collect::<Vec<_>>())
            };
            let fields = json!({"name": kind, "frames": message(b"\x03", HELLO)});
            room.python.ask("raw_send", fields).await;
            let answer = room.python.ask("raw_recv", json!({"name": kind})).await;
            assert_eq!(answer["frames"], message(b"\x01", b"\xa7Hello x"), "{kind}");
            room.python.ask("stop", json!({"name": kind})).await;
        }
        assert_eq!(room.server.stats().dropped_total(), 0);
    })
    .await;
}

/// libzmq's REQ closes a link on which a probe comes, and may not be called: see
/// [`Reason::TakesNoCalls`].
#[tokio::test]
async fn a_bound_req_is_served_over_a_link_that_we_opened_and_is_not_called() {
    const HELLO: &[u8] = b"\x93\xa5hello\x91\xa1x\x80";
    let Some(python) = PythonPeer::start() else { return };
    bounded(async {
        let fields = json!({
            "name": "req", "type": "REQ", "bind": "tcp://127.0.0.1:*",
            "options": {"IDENTITY": "asker"},
        });
        let bound = python.ask("raw", fields).await;
        let server = Server::new(SERVICE).expect("a runtime is there");
        serve(server.node());
        let mut events = server.events();
        server.connect(bound["endpoint"].as_str().expect("an endpoint")).expect("well-formed");
        let peer = loop {
            match events.next().await.expect("the server lives") {
                ConnectionEvent::Connected { peer, .. } => break peer,
                ConnectionEvent::Connecting { .. } => {}
                other => panic!("{other:?} instead of a session"),
            }
        };
        for round in 0..3 {
            let message = |kind: &[u8], body: &[u8]| {
                json!([b"v1".as_slice(), &[round; 16], kind, body].map(hex))
            };
            let fields = json!({"name": "req", "frames": message(b"\x03", HELLO)});
            python.ask("raw_send", fields).await;
            // It waits for its answer, and takes for that whatever comes.
            for to in [&peer, &server.peer("asker")] {
                let called = to.call::<String, _>("name", ()).await;
                let refused = matches!(called, Err(CallError::NotExecuted(Reason::TakesNoCalls)));
                assert!(refused, "{called:?}");
            }
            let answer = python.ask("raw_recv", json!({"name": "req"})).await;
            assert_eq!(answer["frames"], message(b"\x01", b"\xa7Hello x"), "round {round}");
        }
        assert!(peer.info().is_some(), "the first link lives");
        let stats = server.stats();
        assert_eq!((stats.sessions, stats.requests_served, stats.dropped_total()), (1, 3, 0));
        python.ask("stop", json!({"name": "req"})).await;
    })
    .await;
}

#[tokio::test]
async fn two_python_servers_are_two_endpoints_of_one_rust_client() {
    RustCalls::hold(async |room| {
        let endpoint = start_server(&room.python, "second", "tcp://127.0.0.1:*").await;
        let mut events = room.client.events();
        room.client.connect(&endpoint).expect("Python's endpoints are well-formed");
        while !matches!(events.next().await, Some(ConnectionEvent::Connected { .. })) {}
        let second = room.client.peer("second");
        let sums: (i64, i64) = (
            room.client.call("add", (1, 1)).await.expect("the first answers"),
            second.call("add", (2, 2)).await.expect("the second answers"),
        );
        assert_eq!(sums, (2, 4));
        for (name, args) in [("server", [1, 1]), ("second", [2, 2])] {
            let calls = room.python.ask("calls", json!({"name": name, "count": 1})).await;
            assert_eq!(calls[0]["args"], json!({"$tuple": args}), "{name}");
        }
        room.client.disconnect(&endpoint).expect("it is connected");
        while !matches!(events.next().await, Some(ConnectionEvent::Disconnected { .. })) {}
    })
    .await;
}

/// A path that nobody else uses, gone at the end: a libzmq that is killed leaves it behind.
struct SocketPath(PathBuf);

impl SocketPath {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("pseud-interop-{}-{name}", std::process::id())))
    }

    fn endpoint(&self) -> String {
        format!("ipc://{}", self.0.display())
    }
}

impl Drop for SocketPath {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A Python server under that name, and that user id unless it is the usual one.
async fn start_server(python: &PythonPeer, name: &str, endpoint: &str) -> String {
    let user_id = if name == "server" { SERVICE } else { name };
    let fields = json!({"name": name, "user_id": user_id, "endpoint": endpoint});
    let bound = python.ask("server", fields).await;
    bound["endpoint"].as_str().expect("a bound server says where").to_owned()
}

/// A Python client, its handshake over, whose calls wait for 3 s.
async fn connect(python: &PythonPeer, name: &str, peer_id: &str, endpoint: &str) {
    let fields = json!({
        "name": name, "peer_id": peer_id, "endpoint": endpoint, "timeout": 3.0, "monitor": true,
    });
    python.ask("client", fields).await;
    shaken(python, name, 1).await;
}

/// Returns when that Python client has shaken hands so many times.
async fn shaken(python: &PythonPeer, name: &str, times: usize) {
    let count = async || {
        let events = python.ask("events", json!({"name": name})).await;
        let events = events.as_array().expect("a list").iter();
        events.filter(|event| event["event"] == "HANDSHAKE_SUCCEEDED").count()
    };
    while count().await < times {}
}

/// One more call by that Python client: its result.
async fn hello(python: &PythonPeer, name: &str) -> Value {
    let mut outcome = python.ask("hello", json!({"name": name})).await;
    outcome["result"].take()
}

fn free_endpoint() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a port");
    format!("tcp://{}", listener.local_addr().expect("it is bound"))
}

/// A client that tries again soon, whatever its luck with jitter, and whose calls wait long.
fn eager_client(endpoint: &str) -> Client {
    let mut options = Options::client(SERVICE).call_timeout(Duration::from_secs(30));
    options.retry.max = Duration::from_millis(100);
    let client = Client::with_options(options).expect("a runtime is there");
    client.connect(endpoint).expect("a well-formed endpoint");
    client
}

/// A call under way.
fn greet(client: &Client) -> tokio::task::JoinHandle<String> {
    let client = client.clone();
    tokio::spawn(async move { client.call("hello", ("later",)).await.expect("a greeting") })
}

/// The Python process that was started last answers within a second.
async fn check_alive(client: &Client, python: &PythonPeer) {
    client.ready().await;
    let hello = client.call("hello", ("again",)).timeout(Duration::from_secs(1));
    let hello: String = hello.await.expect("the Python server is well");
    assert_eq!(hello, "Hello again");
    assert_eq!(python.ask("about", json!({})).await["pid"], python.pid());
    assert_eq!(client.stats().calls_pending, 0);
}
