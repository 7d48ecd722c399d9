//! The server calls its client: on the connection that the client opened, by name or by session.

use pseud::{CallError, Value as Wire};
use pseud::{Fault, Options, Reason};
use serde_json::json;

use crate::live::{PythonCalls, RustCalls, SERVICE};
use crate::talk::{bytes, error};

#[tokio::test]
async fn a_rust_handler_calls_its_python_caller_back() {
    PythonCalls::hold(async |room| {
        let greet_me = |request: pseud::Request| async move {
            // The Python client waits for our answer, and serves us meanwhile.
            let name: String = match request.caller().call("add", ("Char", "ly")).await {
                Ok(name) => name,
                Err(error) => return Err(Fault::new("RuntimeError", error.to_string())),
            };
            Ok(format!("Hello {name}"))
        };
        room.server.register("greet_me", greet_me).expect("a free name");
        assert_eq!(room.call("greet_me", json!([])).await["result"], "Hello Charly");
        let calls = room.python.ask("calls", json!({"name": "client", "count": 1})).await;
        assert_eq!((&calls[0]["method"], calls.as_array().map(Vec::len)), (&json!("add"), Some(1)));
    })
    .await;
}

#[tokio::test]
async fn what_the_python_caller_raises_reaches_the_rust_handler() {
    PythonCalls::hold(async |room| {
        let relay = |request: pseud::Request| async move {
            match request.caller().call::<Wire, _>("fail", ("KeyError", "why")).await {
                Err(CallError::Fault(fault)) => Err(fault),
                other => Ok(format!("{other:?}")),
            }
        };
        room.server.register("relay", relay).expect("a free name");
        assert_eq!(error(&room.call("relay", json!([])).await), ("KeyError", "'why'"));
    })
    .await;
}

/// A v1 client announces no identity: its session is the way to it. The probe, not a call, is all
/// that it has sent.
#[tokio::test]
async fn a_python_client_that_only_connected_is_called() {
    PythonCalls::hold(async |room| {
        let silent = room.connect("silent", 5.0, json!({})).await;
        let hello: String = silent.call("hello", ("silent",)).await.expect("it serves");
        assert_eq!(hello, "Hello silent");
        let stats = room.server.stats();
        assert_eq!((stats.sessions, stats.requests_served, stats.dropped_total()), (2, 0, 0));
        // Its probe was sent before its answer; the other client's may yet come.
        assert!((1..=2).contains(&stats.probes), "{stats:?}");
        let calls = room.python.ask("calls", json!({"name": "silent", "count": 1})).await;
        assert_eq!(calls[0]["method"], "hello");
    })
    .await;
}

#[tokio::test]
async fn a_python_client_with_an_identity_is_called_by_it() {
    PythonCalls::hold(async |room| {
        room.connect("named", 5.0, json!({"IDENTITY": "charlys-desk"})).await;
        let sum: i64 =
            room.server.peer("charlys-desk").call("add", (2, 4)).await.expect("it serves");
        assert_eq!(sum, 6);
        room.python.ask("stop", json!({"name": "named"})).await;
        let gone = room.server.peer("nobodys-desk").call::<i64, _>("add", (2, 4)).await;
        assert!(matches!(gone, Err(CallError::NotExecuted(Reason::NotConnected))), "{gone:?}");
    })
    .await;
}

/// A v1 server knows a client from its probe: this one has not called anything.
#[tokio::test]
async fn a_python_server_calls_a_rust_client_that_only_connected() {
    RustCalls::with(named(), async |room| {
        let received = room.python.ask("received", json!({"name": "server", "count": 1})).await;
        assert_eq!(received, json!([[bytes(b"charlys-desk"), bytes(b"")]]), "the probe");
        let hello = room.python.ask("hello", json!({"name": "server", "to": "charlys-desk"})).await;
        assert_eq!(hello["result"], "Hello again");
        assert_eq!(room.client.stats().calls_made, 0);
        let failing = json!({
            "name": "server", "to": "charlys-desk", "method": "fail", "args": ["MyError", "why"],
        });
        let failed = room.python.ask("call", failing).await;
        assert_eq!(error(&failed), ("Exception", "why"));
    })
    .await;
}

/// Not inside its handler: a v1 reader waits for that one before it reads on.
#[tokio::test]
async fn a_task_of_a_python_handler_calls_its_rust_caller_back() {
    RustCalls::with(named(), async |room| {
        let (): () = room.client.call("later", ("add", 20, 1)).await.expect("it starts a task");
        let outcomes = room.python.ask("outcomes", json!({"name": "server"})).await;
        assert_eq!(outcomes[0]["result"], 21);
    })
    .await;
}

/// Without an identity Python's socket names us, and calls us by that name.
#[tokio::test]
async fn a_rust_client_without_a_name_is_called_back() {
    RustCalls::hold(async |room| {
        let (): () = room.client.call("later", ("hello", "you")).await.expect("it starts a task");
        let outcomes = room.python.ask("outcomes", json!({"name": "server"})).await;
        assert_eq!(outcomes[0]["result"], "Hello you");
    })
    .await;
}

#[tokio::test]
async fn calls_both_ways_cross_on_one_link() {
    RustCalls::with(named(), async |room| {
        let calls: Vec<_> =
            (0..50).map(|number| json!({"method": "add", "args": [number, 1]})).collect();
        let theirs = json!({"name": "server", "to": "charlys-desk", "calls": calls});
        let theirs = room.python.send("call_many", theirs);
        for number in 0..50 {
            let sum: i64 = room.client.call("add", (number, 2)).await.expect("a sum");
            assert_eq!(sum, number + 2);
        }
        let theirs = theirs.done().await;
        assert!((0..50).all(|number| theirs[number]["result"] == number + 1), "{theirs}");
    })
    .await;
}

fn named() -> Options {
    Options::client(SERVICE).identity("charlys-desk")
}
