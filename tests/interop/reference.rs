//! The reference against itself: what a Python server and a Python client say to each other.

use serde_json::{Value, json};

use crate::python::PythonPeer;
use crate::talk::{bytes, call, error, pair, server};

#[test]
fn a_client_calls_its_server() {
    let Some(python) = PythonPeer::start() else { return };
    pair(&python);
    assert_eq!(call(&python, "client", "hello", json!(["Rust"]))["result"], "Hello Rust");
    assert_eq!(call(&python, "client", "add", json!([2, 3]))["result"], 5);
    let by_keyword =
        json!({"name": "client", "method": "add", "args": [], "kwargs": {"a": 1.5, "b": 1}});
    assert_eq!(python.request("call", by_keyword)["result"], 2.5);
    assert_eq!(call(&python, "client", "whoami", json!([]))["result"], bytes(b""));
    let big = call(&python, "client", "big", json!([1 << 20]));
    assert_eq!(big["result"]["$bytes"].as_str().map(str::len), Some(2 << 20));
    let calls = python.request("calls", json!({"name": "server", "count": 5}));
    assert_eq!(calls[1]["method"], "add");
    assert_eq!(calls[1]["args"], json!({"$tuple": [2, 3]}));
}

#[test]
fn every_kind_of_value_survives_an_echo() {
    let Some(python) = PythonPeer::start() else { return };
    pair(&python);
    let values = json!([
        null, true, "ü", -0.0, 0.1, {"$float": "nan"}, {"$float": "-inf"},
        i64::MIN, u64::MAX, {"$bytes": "00ff"}, {"$tuple": [1, {"$tuple": []}]},
        {"$map": [[1, "a"], [{"$bytes": "01"}, {"$map": []}]]}, {"$ext": [5, "c0ffee"]},
        {"$date": "2018-04-17"}, {"$timedelta": [-1, 86399, 999_999]},
        {"$timezone": [[0, 3600, 0], null]},
        {"$datetime": "2018-10-28T02:30:00", "fold": 1, "tz": null},
        {"$datetime": "2003-09-27T09:40:01.521290", "fold": 0, "tz": {"$timezone": [[0, 3600, 0], "CET"]}},
    ]);
    let echoed = call(&python, "client", "echo", values.clone());
    let expected = json!({"$tuple": [{"$tuple": values}, {"$map": []}]});
    // As text: a JSON number's sign of zero is lost to `==`.
    assert_eq!(echoed["result"].to_string(), expected.to_string());
}

#[test]
fn an_int_beyond_64_bits_never_leaves() {
    let Some(python) = PythonPeer::start() else { return };
    pair(&python);
    let outcome = call(&python, "client", "echo", json!([{"$int": "18446744073709551616"}]));
    assert_eq!(error(&outcome), ("TypeError", "Unknown type: 18446744073709551616"));
}

#[test]
fn a_remote_exception_keeps_a_class_that_python_knows() {
    let Some(python) = PythonPeer::start() else { return };
    pair(&python);
    for class in ["ValueError", "KeyError", "ServiceNotFoundError", "UnauthorizedError"] {
        let outcome = call(&python, "client", "fail", json!([class, "why"]));
        let message = if class == "KeyError" { "'why'" } else { "why" };
        assert_eq!(error(&outcome), (class, message));
    }
    let foreign = call(&python, "client", "fail", json!(["ForeignError", "why"]));
    assert_eq!(error(&foreign), ("Exception", "why"));
    let message = foreign["error"]["message"].as_str().unwrap_or_default();
    assert!(message.starts_with("ForeignError\n\n-- Beginning of remote traceback --\n"));
    let missing = call(&python, "client", "no.such", json!([]));
    assert_eq!(error(&missing), ("ServiceNotFoundError", "no.such"));
    let dotted = json!({"name": "server", "method": "no.such", "handler": "add"});
    python.request("register", dotted);
    assert_eq!(call(&python, "client", "no.such", json!([1, 1]))["result"], 2);
}

#[test]
fn concurrent_calls_are_served_one_after_another() {
    let Some(python) = PythonPeer::start() else { return };
    pair(&python);
    call(&python, "client", "hello", json!(["warm"]));
    let naps = vec![json!({"method": "sleep", "args": [0.1]}); 3];
    let naps = python.request("call_many", json!({"name": "client", "calls": naps}));
    assert_eq!(naps[2]["result"], 0.1);
    assert!(naps[2]["seconds"].as_f64() >= Some(0.29), "{naps}");
    let sums: Vec<Value> = (0..200).map(|n| json!({"method": "add", "args": [n, 1]})).collect();
    let sums = python.request("call_many", json!({"name": "client", "calls": sums}));
    assert!((0..200).all(|n| sums[n]["result"] == n + 1), "{sums}");
}

#[test]
fn a_server_calls_a_client_that_only_connected() {
    let Some(python) = PythonPeer::start() else { return };
    pair(&python);
    // The probe alone, two frames, makes the client known.
    let received = python.request("received", json!({"name": "server", "count": 1}));
    assert_eq!(received[0][1], bytes(b""));
    let hello = python.request("hello", json!({"name": "server", "to": received[0][0]}));
    assert_eq!(hello["result"], "Hello again");
    let calls = python.request("calls", json!({"name": "client", "count": 1}));
    assert_eq!(calls[0]["method"], "hello");
}

#[test]
fn a_handler_calls_back_from_a_task_of_its_own() {
    let Some(python) = PythonPeer::start() else { return };
    pair(&python);
    call(&python, "client", "later", json!(["add", 20, 1]));
    assert_eq!(python.request("outcomes", json!({"name": "server"}))[0]["result"], 21);
    assert_eq!(python.request("calls", json!({"name": "client"}))[0]["method"], "add");
}

#[test]
fn a_plain_socket_speaks_frames_and_watches_the_handshake() {
    let Some(python) = PythonPeer::start() else { return };
    let endpoint = server(&python);
    let options = json!({"IDENTITY": "plain", "PROBE_ROUTER": 1});
    let dealer = json!({
        "name": "dealer", "type": "DEALER", "connect": endpoint, "options": options, "monitor": true,
    });
    python.request("raw", dealer);
    let shaken = json!({"name": "dealer", "event": "HANDSHAKE_SUCCEEDED"});
    let events = python.request("events", shaken);
    let connected = |event: &Value| event["event"] == "CONNECTED" && event["endpoint"] == endpoint;
    assert!(events.as_array().is_some_and(|all| all.iter().any(connected)), "{events}");

    let id = "00".repeat(16);
    let work = json!({"name": "dealer", "frames": ["", "7631", id, "03", "93a361646492010280"]});
    python.request("raw_send", work);
    let wanted = json!({"name": "dealer", "metadata": ["Socket-Type", "X-Nothing"]});
    let answer = python.request("raw_recv", wanted);
    assert_eq!(answer["frames"], json!(["", "7631", id, "01", "03"]));
    assert_eq!(answer["metadata"], json!({"Socket-Type": "ROUTER", "X-Nothing": null}));

    let received = python.request("received", json!({"name": "server", "count": 2}));
    assert_eq!(received[0], json!([bytes(b"plain"), bytes(b"")]), "the probe");

    let other_version = json!({"name": "dealer", "frames": ["", "7632", id, "06", ""]});
    python.request("raw_send", other_version);
    let reader = python.request("dead", json!({"name": "server"}));
    assert_eq!(reader["error"]["class"], "AssertionError");
    python.request("disconnect", json!({"name": "dealer", "endpoint": endpoint}));
    python.request("stop", json!({"name": "dealer"}));
}
