//! A Python client of a Rust server.

use std::sync::Arc;

use pseud::Fault;
use serde_json::{Value, json};
use tokio::sync::Barrier;

use crate::live::PythonCalls;
use crate::talk::{bytes, error};

const MIB: usize = 1 << 20;

#[tokio::test]
async fn a_python_client_calls_a_rust_server() {
    PythonCalls::hold(async |room| {
        assert_eq!(room.call("hello", json!(["Charly"])).await["result"], "Hello Charly");
        assert_eq!(room.call("add", json!([2, -3])).await["result"], -1);
        let none = room.call("echo", json!([])).await;
        assert_eq!(none["result"], json!({"$tuple": [{"$tuple": []}, {"$map": []}]}));
        let stats = room.server.stats();
        assert_eq!((stats.sessions, stats.probes, stats.requests_served), (1, 1, 3));
        assert_eq!(stats.dropped_total(), 0);
    })
    .await;
}

#[tokio::test]
async fn keywords_of_a_python_call_arrive() {
    PythonCalls::hold(async |room| {
        let fields = json!({
            "name": "client", "method": "echo", "args": [1],
            "kwargs": {"b": {"$bytes": "00ff"}, "köy": [null, {"$map": [["deep", {"$tuple": [true]}]]}]},
        });
        let echoed = room.python.ask("call", fields).await;
        let kwargs = json!({"$map": [
            ["b", {"$bytes": "00ff"}],
            ["köy", {"$tuple": [null, {"$map": [["deep", {"$tuple": [true]}]]}]}],
        ]});
        assert_eq!(echoed["result"], json!({"$tuple": [{"$tuple": [1]}, kwargs]}));
    })
    .await;
}

#[tokio::test]
async fn a_fault_of_a_class_that_python_knows_is_raised_as_that_class() {
    PythonCalls::hold(async |room| {
        for class in ["ValueError", "KeyError", "ServiceNotFoundError", "UnauthorizedError"] {
            let failed = room.call("fail", json!([class, "why"])).await;
            assert_eq!(error(&failed), (class, "why"));
        }
        let module = |outcome: &Value| outcome["error"]["module"].clone();
        let failed = room.call("fail", json!(["UnauthorizedError", "why"])).await;
        assert_eq!(module(&failed), "pseud.interfaces");
        let failed = room.call("fail", json!(["OSError", "why"])).await;
        assert_eq!(module(&failed), "builtins");
    })
    .await;
}

#[tokio::test]
async fn a_fault_of_an_unknown_class_is_an_exception_that_names_it() {
    PythonCalls::hold(async |room| {
        let failed = room.call("fail", json!(["MyError", "why"])).await;
        assert_eq!(error(&failed), ("Exception", "why"));
        assert!(message(&failed).starts_with("MyError\n"), "{failed}");
    })
    .await;
}

/// f_12: each of these would kill the reader, or the process.
#[tokio::test]
async fn f_12_no_class_that_harms_python_reaches_it() {
    PythonCalls::hold(async |room| {
        for class in ["SystemExit", "StopIteration", "UnicodeDecodeError", "exit", "print", ""] {
            let failed = room.call("fail", json!([class, "why"])).await;
            assert_eq!(error(&failed), ("Exception", "why"));
            assert!(message(&failed).ends_with(&format!("\n{class}\nwhy")), "{failed}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_name_that_nobody_serves_is_not_found() {
    PythonCalls::hold(async |room| {
        let missing = room.call("no.such", json!([1])).await;
        assert_eq!(error(&missing), ("ServiceNotFoundError", "no.such"));
        let reserved = room.call("pseud.caps", json!([])).await;
        assert_eq!(error(&reserved), ("ServiceNotFoundError", "pseud.caps"));
    })
    .await;
}

#[tokio::test]
async fn arguments_that_do_not_fit_and_panics_are_faults() {
    PythonCalls::hold(async |room| {
        assert_eq!(error(&room.call("hello", json!([1])).await).0, "TypeError");
        assert_eq!(error(&room.call("hello", json!([])).await).0, "TypeError");
        assert_eq!(error(&room.call("hello", json!(["a", "b"])).await).0, "TypeError");
        let panics = |_| -> Result<(), Fault> { panic!("on purpose: {}", 1) };
        room.server.register_sync("panics", panics).expect("a free name");
        let failed = room.call("panics", json!([])).await;
        assert_eq!(error(&failed), ("Exception", "the handler panicked"));
    })
    .await;
}

#[tokio::test]
async fn a_mebibyte_goes_to_rust_and_back() {
    PythonCalls::hold(async |room| {
        let body = bytes(&pattern(MIB));
        let echoed = room.call("echo", json!([body])).await;
        assert_eq!(echoed["result"]["$tuple"][0]["$tuple"][0], body);
        let big = room.call("big", json!([MIB])).await;
        assert_eq!(big["result"]["$bytes"].as_str().map(str::len), Some(2 * MIB));
    })
    .await;
}

#[tokio::test]
async fn a_hundred_calls_are_served_at_once() {
    const CALLS: usize = 100;
    PythonCalls::hold(async |room| {
        // Nobody passes it before all have come.
        let barrier = Arc::new(Barrier::new(CALLS));
        let meet = move |request: pseud::Request| {
            let barrier = barrier.clone();
            async move {
                let (number,): (usize,) = request.args()?;
                barrier.wait().await;
                Ok::<_, Fault>(number)
            }
        };
        room.server.register("meet", meet).expect("a free name");
        let calls: Vec<Value> =
            (0..CALLS).map(|number| json!({"method": "meet", "args": [number]})).collect();
        let met = room.python.ask("call_many", json!({"name": "client", "calls": calls})).await;
        assert!((0..CALLS).all(|number| met[number]["result"] == number), "{met}");
    })
    .await;
}

fn message(outcome: &Value) -> &str {
    outcome["error"]["message"].as_str().expect("the call failed")
}

/// Bytes that show where a piece was lost or doubled.
fn pattern(count: usize) -> Vec<u8> {
    (0..count).map(|index| (index % 251) as u8).collect()
}
