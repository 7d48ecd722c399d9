//! Rooms in which Rust and Python talk: each leaves with proof that the Python process still lives.

use std::time::Duration;

use pseud::{Client, ConnectionEvent, Fault, Node, Options, Peer, Request, Server, Value as Wire};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::python::PythonPeer;

/// The identity of every server here.
pub(crate) const SERVICE: &str = "service";

/// Time one conversation may take: more than ten times what the slowest one needs.
const CONVERSATION_TIMEOUT: Duration = Duration::from_secs(90);

/// Time a peer that is well needs at most for one more call.
const ALIVE_TIMEOUT: Duration = Duration::from_secs(1);

/// Time that what must happen next has to happen.
const SOON: Duration = Duration::from_secs(5);

/// A Rust server, and a Python client of it called `client`.
pub(crate) struct PythonCalls {
    pub(crate) python: PythonPeer,
    pub(crate) server: Server,
    pub(crate) endpoint: String,
}

/// A Python server called `server`, and a Rust client of it.
pub(crate) struct RustCalls {
    pub(crate) python: PythonPeer,
    pub(crate) client: Client,
    /// Where the Python server listens.
    pub(crate) endpoint: String,
}

impl PythonCalls {
    /// Has that conversation with a Python client whose calls wait for `seconds`.
    pub(crate) async fn with(options: Options, seconds: f64, talk: impl AsyncFnOnce(&Self)) {
        let Some(python) = PythonPeer::start() else { return };
        let server = Server::with_options(options).expect("a runtime is there");
        serve(server.node());
        let endpoint: String =
            server.bind("tcp://127.0.0.1:0").await.expect("loopback has a port").into();
        let room = Self { python, server, endpoint };
        bounded(async {
            room.connect("client", seconds, json!({})).await;
            talk(&room).await;
            room.check_alive().await;
        })
        .await;
    }

    /// The same with everything at its default.
    pub(crate) async fn hold(talk: impl AsyncFnOnce(&Self)) {
        Self::with(Options::server(SERVICE), 5.0, talk).await;
    }

    /// Connects one more Python client, `options` are its socket's. Both sides know of each other
    /// when it returns: a v1 client drops without a word what it cannot send within 400 ms.
    pub(crate) async fn connect(&self, name: &str, seconds: f64, options: Value) -> Peer {
        let mut events = self.server.events();
        let fields = json!({
            "name": name, "peer_id": SERVICE, "endpoint": self.endpoint, "timeout": seconds,
            "options": options, "monitor": true,
        });
        self.python.ask("client", fields).await;
        let shaken = json!({"name": name, "event": "HANDSHAKE_SUCCEEDED"});
        self.python.ask("events", shaken).await;
        match events.next().await {
            Some(ConnectionEvent::Connected { peer, .. }) => peer,
            other => panic!("{other:?} instead of a session"),
        }
    }

    /// The outcome of one call by the Python client.
    pub(crate) async fn call(&self, method: &str, args: Value) -> Value {
        let fields = json!({"name": "client", "method": method, "args": args});
        self.python.ask("call", fields).await
    }

    /// The same process, its readers alive, has one more call answered.
    async fn check_alive(&self) {
        check_readers(&self.python).await;
        let hello = self.python.ask("hello", json!({"name": "client"})).await;
        assert_eq!(hello["result"], "Hello again", "{hello}");
        assert!(hello["seconds"].as_f64() < Some(ALIVE_TIMEOUT.as_secs_f64()), "{hello}");
        assert_eq!(self.server.stats().calls_pending, 0);
    }
}

impl RustCalls {
    /// Has that conversation, once the client is connected.
    pub(crate) async fn with(options: Options, talk: impl AsyncFnOnce(&Self)) {
        let Some(python) = PythonPeer::start() else { return };
        let fields = json!({
            "name": "server", "user_id": SERVICE, "endpoint": "tcp://127.0.0.1:*",
        });
        let bound = python.ask("server", fields).await;
        let client = Client::with_options(options).expect("a runtime is there");
        serve(client.node());
        let endpoint = bound["endpoint"].as_str().expect("a bound server says where").to_owned();
        client.connect(&endpoint).expect("Python's endpoints are well-formed");
        let room = Self { python, client, endpoint };
        bounded(async {
            room.client.ready().await;
            talk(&room).await;
            room.check_alive().await;
        })
        .await;
    }

    /// The same with everything at its default.
    pub(crate) async fn hold(talk: impl AsyncFnOnce(&Self)) {
        Self::with(Options::client(SERVICE), talk).await;
    }

    /// The same process, its reader alive, answers one more call.
    async fn check_alive(&self) {
        let hello = self.client.call("hello", ("again",)).timeout(ALIVE_TIMEOUT);
        let hello: String = hello.await.expect("the Python server is well");
        assert_eq!(hello, "Hello again");
        check_readers(&self.python).await;
        assert_eq!(self.client.stats().calls_pending, 0);
    }
}

pub(crate) async fn bounded(conversation: impl Future<Output = ()>) {
    timeout(CONVERSATION_TIMEOUT, conversation).await.expect("the conversation ends");
}

pub(crate) async fn check_readers(python: &PythonPeer) {
    assert_eq!(python.ask("about", json!({})).await["pid"], python.pid());
    let readers = python.ask("alive", json!({})).await;
    for (name, reader) in readers.as_object().expect("one entry a peer") {
        assert_eq!(reader["reader"], "running", "{name}: {reader}");
    }
}

/// Returns as soon as that holds: for what nothing tells of, and what is to hold soon.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let turns = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, turns).await.unwrap_or_else(|_| panic!("{what}: not within {SOON:?}"));
}

/// Serves what `peer.py` serves, under the same names.
pub(crate) fn serve(node: &Node) {
    let served = [
        node.registry().register_sync("echo", |request| Ok::<_, Fault>(echo(&request))),
        node.registry().register_sync("hello", |request| {
            let (name,): (String,) = request.args()?;
            Ok::<_, Fault>(format!("Hello {name}"))
        }),
        node.registry().register_sync("add", |request| {
            let (a, b): (i64, i64) = request.args()?;
            Ok::<_, Fault>(a + b)
        }),
        node.registry().register_sync("fail", |request| {
            let (class, message): (String, String) = request.args()?;
            Err::<(), _>(Fault::new(class, message))
        }),
        node.registry().register("sleep", |request| async move {
            let (seconds,): (f64,) = request.args()?;
            tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
            Ok::<_, Fault>(seconds)
        }),
        node.registry().register_sync("big", |request| {
            let (count,): (usize,) = request.args()?;
            Ok::<_, Fault>(Wire::Bin(vec![b'x'; count].into()))
        }),
    ];
    assert!(served.iter().all(Result::is_ok), "{served:?}");
}

/// `[args, kwargs]`, as they came.
fn echo(request: &Request) -> Wire {
    let args = request.arguments().args_values();
    let kwargs: Wire = request.arguments().kwargs_values().into_iter().collect();
    Wire::Array(vec![Wire::Array(args), kwargs])
}
