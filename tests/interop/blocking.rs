//! Servers and clients on plain threads, and Python.

use std::thread;
use std::time::Duration;

use pseud::proto::zmtp::SocketType;
use pseud::{CallError, Fault, Node, Reason};
use pseud_blocking::{Client, Options, Server, Wait};
use serde_json::{Value, json};

use crate::live::SERVICE;
use crate::python::PythonPeer;
use crate::talk::error;

/// How many threads share a client.
const THREADS: i64 = 8;

/// A Python server, and where it listens.
fn python_server() -> Option<(PythonPeer, String)> {
    let python = PythonPeer::start()?;
    let fields = json!({"name": "server", "user_id": SERVICE, "endpoint": "tcp://127.0.0.1:*"});
    let bound = python.request("server", fields);
    let endpoint = bound["endpoint"].as_str().expect("a bound server says where").to_owned();
    Some((python, endpoint))
}

fn connected(options: Options, endpoint: &str) -> Client {
    let client = Client::with_options(options).expect("threads can be had");
    client.connect(endpoint).expect("Python's endpoints are well-formed");
    client.ready().expect("a plain thread may block");
    client
}

fn hello(node: &Node) -> String {
    node.call("hello", ("Charly",)).wait().expect("a greeting")
}

fn check_reader(python: &PythonPeer) {
    let readers = python.request("alive", json!({}));
    assert_eq!(readers["server"]["reader"], "running", "{readers}");
}

#[test]
fn a_blocking_client_calls_a_python_server_from_many_threads() {
    let Some((python, endpoint)) = python_server() else { return };
    let client = connected(Options::client(SERVICE), &endpoint);
    assert_eq!(hello(client.node()), "Hello Charly");
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let client = &client;
            scope.spawn(move || {
                for n in 0..20_i64 {
                    let sum = client.call::<i64, _>("add", (thread, n)).wait();
                    assert_eq!(sum.expect("a sum"), thread + n);
                }
            });
        }
    });
    let failed = client.call::<(), _>("fail", ("ValueError", "why")).wait();
    assert!(matches!(&failed, Err(CallError::Fault(fault)) if fault.class == "ValueError"));
    assert_eq!(client.stats().calls_pending, 0);
    check_reader(&python);
}

/// As Python's own `SyncClient`: a REQ socket at the server's ROUTER.
#[test]
fn a_blocking_req_client_calls_a_python_server() {
    let Some((python, endpoint)) = python_server() else { return };
    let options = Options::client(SERVICE).socket_type(SocketType::Req);
    let client = connected(options, &endpoint);
    for _ in 0..3 {
        assert_eq!(hello(client.node()), "Hello Charly");
    }
    let late = client.call::<f64, _>("sleep", (0.3,)).timeout(Duration::from_millis(100)).wait();
    assert!(matches!(late, Err(CallError::Unknown(Reason::TimedOut))), "{late:?}");
    assert_eq!(hello(client.node()), "Hello Charly", "the late answer was for nobody");
    check_reader(&python);
}

#[test]
fn a_python_server_calls_a_blocking_client_that_does_nothing() {
    let Some((python, endpoint)) = python_server() else { return };
    let client = connected(Options::client(SERVICE).identity("charly"), &endpoint);
    client
        .register("add", |request| {
            let (a, b): (i64, i64) = request.args()?;
            Ok::<_, Fault>(a + b)
        })
        .expect("a good name");
    // v1 knows whom it has heard of.
    assert_eq!(hello(client.node()), "Hello Charly");
    let fields = json!({"name": "server", "to": "charly", "method": "add", "args": [2, 4]});
    let sum = python.request("call", fields);
    assert_eq!(sum["result"], 6, "{sum}");
    check_reader(&python);
}

#[test]
fn a_python_client_calls_a_blocking_server_and_is_called_back() {
    let Some(python) = PythonPeer::start() else { return };
    let server = Server::new(SERVICE).expect("threads can be had");
    server
        .register("ask_back", |request| {
            let sum: i64 = request.caller().call("add", (2, 4)).wait()?;
            Ok::<_, Fault>(sum)
        })
        .expect("a good name");
    server
        .register("fail", |_| Err::<(), _>(Fault::new("ValueError", "why")))
        .expect("a good name");
    let endpoint = server.bind("tcp://127.0.0.1:0").expect("loopback has a port");
    let fields = json!({"name": "client", "peer_id": SERVICE, "endpoint": endpoint});
    python.request("client", fields);
    let call = |method: &str| -> Value {
        python.request("call", json!({"name": "client", "method": method, "args": []}))
    };
    // A Python client's reader serves calls while it waits for its own.
    assert_eq!(call("ask_back")["result"], 6);
    assert_eq!(error(&call("fail")), ("ValueError", "why"));
    let readers = python.request("alive", json!({}));
    assert_eq!(readers["client"]["reader"], "running", "{readers}");
}

#[cfg(feature = "zmq")]
mod over_libzmq {
    use pseud_blocking::zmq::{Client, Context, Server};
    use pseud_blocking::{Options, Wait};

    use super::{PythonPeer, SERVICE, check_reader, hello, json, python_server};

    #[test]
    fn a_client_calls_a_python_server_and_is_called() {
        let Some((python, endpoint)) = python_server() else { return };
        let options = Options::client(SERVICE).identity("charly");
        let client = Client::with_options(options, Context::new()).expect("threads can be had");
        client.connect(&endpoint).expect("Python's endpoints are well-formed");
        client
            .register_sync("add", |request| {
                let (a, b): (i64, i64) = request.args()?;
                Ok::<_, pseud::Fault>(a + b)
            })
            .expect("a good name");
        for _ in 0..20 {
            assert_eq!(hello(client.node()), "Hello Charly");
        }
        let fields = json!({"name": "server", "to": "charly", "method": "add", "args": [2, 4]});
        assert_eq!(python.request("call", fields)["result"], 6);
        check_reader(&python);
    }

    #[test]
    fn a_python_client_calls_a_server_and_is_called_back() {
        let Some(python) = PythonPeer::start() else { return };
        let server = Server::new(SERVICE).expect("threads can be had");
        server
            .register("ask_back", |request| {
                let sum: i64 = request.caller().call("add", (2, 4)).wait()?;
                Ok::<_, pseud::Fault>(sum)
            })
            .expect("a good name");
        let endpoint = server.bind("tcp://127.0.0.1:*").expect("loopback has a port");
        let fields = json!({"name": "client", "peer_id": SERVICE, "endpoint": endpoint});
        python.request("client", fields);
        for _ in 0..20 {
            let fields = json!({"name": "client", "method": "ask_back", "args": []});
            assert_eq!(python.request("call", fields)["result"], 6);
        }
        let readers = python.request("alive", json!({}));
        assert_eq!(readers["client"]["reader"], "running", "{readers}");
    }

    /// Both directions with the adapter of tokio.
    #[tokio::test]
    async fn tokio_calls_and_is_called() {
        let theirs = pseud::Server::new(SERVICE).expect("a runtime is there");
        crate::live::serve(theirs.node());
        let endpoint = theirs.bind("tcp://127.0.0.1:0").await.expect("loopback has a port");
        let client = Client::new(SERVICE).expect("threads can be had");
        client.connect(&endpoint).expect("well-formed");
        let greeting: String = client.call("hello", ("Charly",)).await.expect("a greeting");
        assert_eq!(greeting, "Hello Charly");
        let ours = Server::new(SERVICE).expect("threads can be had");
        crate::live::serve(&ours);
        let endpoint = ours.bind("tcp://127.0.0.1:*").expect("loopback has a port");
        let client = pseud::Client::new(SERVICE).expect("a runtime is there");
        client.connect(&endpoint).expect("well-formed");
        let greeting: String = client.call("hello", ("Charly",)).await.expect("a greeting");
        assert_eq!(greeting, "Hello Charly");
    }
}
