//! Conversations with pseud 0.0.5 on Python 2.7, where there is one. Its `str` is msgpack's bin:
//! names, keywords and classes of errors are.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use pseud::proto::value::{Date, DateTime, TimeZone};
use pseud::{CallError, Client, Fault, Options, Reason, Request, Server, Value};
use serde_json::{Value as Json, json};
use tokio::time::timeout;

use crate::python::PythonPeer;
use crate::talk::{bytes, error};

/// Time one conversation may take.
const CONVERSATION_TIMEOUT: Duration = Duration::from_secs(60);

/// Time a peer that is well needs at most for one more call.
const ALIVE_TIMEOUT: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_python_2_client_calls_a_rust_server() {
    Python2Calls::hold(async |room| {
        let keywords = json!({"name": "client", "method": "add", "args": [1], "kwargs": {"b": 2}});
        assert_eq!(room.python.ask("call", keywords).await["result"], 3);
        let drawn = room.call("draw.me", json!([bytes(b"cat")])).await;
        assert_eq!(drawn["result"], "drawn cat");
        let echoed = room.call("echo", json!([bytes(b"\xff"), "ü", -1, null, [0.5]])).await;
        assert_eq!(echoed["result"], json!([bytes(b"\xff"), "ü", -1, null, [0.5]]));
        assert_eq!(room.server.stats().dropped_total(), 0);
    })
    .await;
}

#[tokio::test]
async fn faults_reach_a_python_2_client_as_their_classes() {
    Python2Calls::hold(async |room| {
        assert_eq!(error(&room.call("fail", json!(["ValueError"])).await), ("ValueError", "why"));
        let missing = room.call("no.such", json!([])).await;
        assert_eq!(error(&missing), ("ServiceNotFoundError", "no.such"));
        let unknown = room.call("fail", json!(["MyError"])).await;
        assert_eq!(error(&unknown), ("Exception", "why"));
    })
    .await;
}

#[tokio::test]
async fn datetimes_of_python_2_are_read_from_their_maps() {
    Python2Calls::hold(async |room| {
        let naive = moment(9);
        // Nine o'clock two hours east of Greenwich.
        let aware = moment(7).with_zone(TimeZone::UTC);
        let wall = json!([2003, 9, 27, 9, 40, 1, 521_290]);
        let args = json!([{"$datetime": wall}, {"$datetime": wall, "hours": 2}]);
        let read = room.call("datetimes", args).await;
        assert_eq!(read["result"], format!("{:?}", [naive, aware]));
    })
    .await;
}

#[tokio::test]
async fn a_python_2_client_is_called_by_the_identity_it_announced() {
    Python2Calls::hold(async |room| {
        // It is known before it called: 0.0.5 sends no probe.
        let hello: String = room.server.peer("py2").call("hello", ("Rust",)).await.expect("py2");
        assert_eq!(hello, "Hello Rust");
    })
    .await;
}

#[tokio::test]
async fn a_rust_client_calls_a_python_2_server() {
    CallsPython2::hold(async |room| {
        let sum: i64 = room
            .client
            .call("add", (1,))
            .kwargs(BTreeMap::from([("b", 2)]))
            .await
            .expect("keywords that are str");
        assert_eq!(sum, 3);
        let drawn: Value = room
            .client
            .service("draw")
            .call("me", (Value::Bin(Bytes::from_static(b"cat")),))
            .await
            .expect("art");
        assert_eq!(drawn, Value::Bin(Bytes::from_static(b"drawn cat")));
        let map = [("__datetime__", true.into()), ("tz", Value::Nil)];
        let map = map.into_iter().chain([("as_str", Value::from("2003-09-27T09:40:01.521290Z"))]);
        let echoed = room.client.call("echo", (map.collect::<Value>(),));
        let (echoed, _): ([Value; 1], Value) = echoed.await.expect("Python made a datetime of it");
        assert_eq!(echoed[0].from_legacy_datetime(), Some(moment(9)));
        let missing = room.client.call::<Value, _>("no.such", ()).await;
        let missing = fault(missing);
        assert_eq!((&*missing.class, &*missing.message), ("ServiceNotFoundError", "no.such"));
        let failed = fault(room.client.call::<Value, _>("fail", ("MyError", "why")).await);
        assert_eq!((&*failed.class, &*failed.message), ("MyError", "why"));
        let traceback = failed.traceback.as_deref().unwrap_or_default();
        assert!(traceback.starts_with("Traceback (most recent call last):"), "{failed:?}");
    })
    .await;
}

/// What the option not to probe is for. Whoever connects next wakes it.
#[tokio::test]
async fn a_probe_stalls_a_python_2_server_until_something_else_happens() {
    CallsPython2::hold(async |room| {
        let prober = Client::new("service").expect("a runtime is there");
        prober.connect(&room.endpoint).expect("Python's endpoints are well-formed");
        prober.ready().await;
        for _ in 0..2 {
            let stalled = prober.call::<Value, _>("hello", ("nobody",));
            let stalled = stalled.timeout(Duration::from_millis(300)).await;
            assert!(matches!(stalled, Err(CallError::Unknown(Reason::TimedOut))), "{stalled:?}");
        }
        connect(&room.endpoint, "waker").ready().await;
    })
    .await;
}

#[tokio::test]
async fn a_rust_client_is_called_by_the_identity_it_announced() {
    CallsPython2::hold(async |room| {
        let hello: String = room.client.call("hello", ("first",)).await.expect("a greeting");
        assert_eq!(hello, "Hello first");
        let fields =
            json!({"name": "server", "method": "add", "args": [40], "kwargs": {"b": 2}, "to": "rust"});
        assert_eq!(room.python.ask("call", fields).await["result"], 42);
    })
    .await;
}

/// A Rust server, and a Python 2 client of it: `client` among its commands, `py2` on the wire.
struct Python2Calls {
    python: PythonPeer,
    server: Server,
}

/// A Python 2 server called `server`, and a Rust client of it that announces `rust`.
struct CallsPython2 {
    python: PythonPeer,
    endpoint: String,
    client: Client,
}

impl Python2Calls {
    async fn hold(talk: impl AsyncFnOnce(&Self)) {
        let Some(python) = PythonPeer::start_27() else { return };
        let server = Server::new("service").expect("a runtime is there");
        serve(server.node());
        let endpoint = server.bind("tcp://127.0.0.1:0").await.expect("loopback has a port");
        let room = Self { python, server };
        bounded(async {
            let fields = json!({
                "name": "client", "peer_id": "service", "endpoint": endpoint, "identity": "py2",
            });
            room.python.ask("client", fields).await;
            talk(&room).await;
            let hello = room.call("hello", json!(["again"])).await;
            assert_eq!(hello["result"], "Hello again");
            assert!(hello["seconds"].as_f64() < Some(ALIVE_TIMEOUT.as_secs_f64()), "{hello}");
            check_process(&room.python).await;
        })
        .await;
    }

    async fn call(&self, method: &str, args: Json) -> Json {
        let fields = json!({"name": "client", "method": method, "args": args});
        self.python.ask("call", fields).await
    }
}

impl CallsPython2 {
    async fn hold(talk: impl AsyncFnOnce(&Self)) {
        let Some(python) = PythonPeer::start_27() else { return };
        bounded(async {
            let fields = json!({
                "name": "server", "user_id": "service", "endpoint": "tcp://127.0.0.1:*",
            });
            let bound = python.ask("server", fields).await;
            let endpoint = bound["endpoint"].as_str().expect("a bound server says where");
            let room =
                Self { client: connect(endpoint, "rust"), endpoint: endpoint.to_owned(), python };
            room.client.ready().await;
            talk(&room).await;
            let hello = room.client.call("hello", ("again",)).timeout(ALIVE_TIMEOUT);
            let hello: String = hello.await.expect("the Python server is well");
            assert_eq!(hello, "Hello again");
            check_process(&room.python).await;
        })
        .await;
    }
}

/// A client that announces that identity and does not probe: the error that the tornado stream
/// makes of a probe leaves it waiting for an edge that has passed.
fn connect(endpoint: &str, identity: &str) -> Client {
    let options = Options::client("service").identity(identity).probe(false);
    let client = Client::with_options(options).expect("a runtime is there");
    serve(client.node());
    client.connect(endpoint).expect("Python's endpoints are well-formed");
    client
}

async fn bounded(conversation: impl Future<Output = ()>) {
    timeout(CONVERSATION_TIMEOUT, conversation).await.expect("the conversation ends");
}

async fn check_process(python: &PythonPeer) {
    let about = python.ask("about", json!({})).await;
    assert_eq!(about["pid"], python.pid());
    assert!(about["python"].as_str().is_some_and(|version| version.starts_with("2.7.")), "{about}");
}

fn serve(node: &pseud::Node) {
    let served = [
        node.registry()
            .register_sync("echo", |request| Ok::<_, Fault>(request.arguments().args_values())),
        node.registry().register_sync("hello", |request| {
            let (name,): (String,) = request.args()?;
            Ok::<_, Fault>(format!("Hello {name}"))
        }),
        node.registry().register_sync("add", |request| {
            let (a,): (i64,) = request.args()?;
            let kwargs: BTreeMap<String, i64> = request.kwargs()?;
            let b = kwargs.get("b").ok_or_else(|| Fault::new("TypeError", "b is missing"))?;
            Ok::<_, Fault>(a + b)
        }),
        node.registry().register_sync("draw.me", |request| {
            let (what,): (Value,) = request.args()?;
            let what = what.as_bytes().map(String::from_utf8_lossy).unwrap_or_default();
            Ok::<_, Fault>(format!("drawn {what}"))
        }),
        node.registry().register_sync("fail", |request| {
            let (class,): (String,) = request.args()?;
            Err::<(), _>(Fault::new(class, "why"))
        }),
        node.registry().register_sync("datetimes", |request| Ok::<_, Fault>(datetimes(&request))),
    ];
    assert!(served.iter().all(Result::is_ok), "{served:?}");
}

fn datetimes(request: &Request) -> String {
    let moments: Vec<_> =
        request.arguments().args_values().iter().filter_map(Value::from_legacy_datetime).collect();
    format!("{moments:?}")
}

fn moment(hour: u8) -> DateTime {
    let date = Date::new(2003, 9, 27).expect("a day that exists");
    DateTime::new(date, hour, 40, 1, 521_290).expect("a time of day")
}

fn fault(outcome: Result<Value, CallError>) -> Fault {
    match outcome {
        Err(CallError::Fault(fault)) => fault,
        other => panic!("{other:?} is not a fault"),
    }
}
