//! The reference against itself: what it dies of. A good peer never sends any of this.

use std::time::Duration;

use serde_json::{Value, json};

use crate::python::{Failure, Pending, PythonPeer};
use crate::talk::{call, client, error, hex, server};

/// Time the calls have that get a harmful answer.
const CALL_TIMEOUT: Duration = Duration::from_secs(2);

/// Time past that in which their end would show.
const SPARE: Duration = Duration::from_millis(500);

#[test]
fn a_late_reply_kills_the_reader_of_its_caller() {
    let Some(python) = PythonPeer::start() else { return };
    let endpoint = server(&python);
    client(&python, "hasty", &endpoint, 1.0);
    assert_eq!(python.request("hello", json!({"name": "hasty"}))["result"], "Hello again");
    let late = call(&python, "hasty", "sleep", json!([1.2]));
    assert_eq!(error(&late), ("TimeoutError", ""));
    let reader = python.request("dead", json!({"name": "hasty"}));
    assert_eq!(
        (&reader["reader"], &reader["error"]["class"]),
        (&json!("dead"), &json!("KeyError"))
    );
    let deaf = python.request("hello", json!({"name": "hasty"}));
    assert_eq!(error(&deaf), ("TimeoutError", ""));
    // The server is none the worse for it.
    client(&python, "other", &endpoint, 5.0);
    assert_eq!(python.request("hello", json!({"name": "other"}))["result"], "Hello again");
    let alive = python.request("alive", json!({}));
    assert_eq!(alive["server"]["reader"], "running");
    assert_eq!(alive["hasty"]["reader"], "dead");
}

#[test]
fn a_sync_client_is_stuck_after_its_first_timeout() {
    let Some(python) = PythonPeer::start() else { return };
    let endpoint = server(&python);
    python.request("sync_client", json!({"name": "sync", "endpoint": endpoint, "timeout": 1.0}));
    assert_eq!(python.request("hello", json!({"name": "sync"}))["result"], "Hello again");
    let late = call(&python, "sync", "sleep", json!([1.2]));
    assert_eq!(error(&late), ("TimeoutError", ""));
    let stuck = python.request("hello", json!({"name": "sync"}));
    let reason = "Operation cannot be accomplished in current state";
    assert_eq!(error(&stuck), ("ZMQError", reason));
}

#[test]
fn an_error_named_after_a_builtin_function_runs_it() {
    let Some(python) = PythonPeer::start() else { return };
    let answered = fail_a_call(&python, "print");
    // What it printed did not reach the pipe of answers, or this would not parse.
    let reader = python.request("dead", json!({"name": "client"}));
    assert_eq!(reader["error"]["class"], "TypeError");
    // The call is forgotten by now: when its own timer fires there is nothing to end.
    assert!(matches!(answered.outcome(CALL_TIMEOUT + SPARE), Err(Failure::TimedOut)));
}

#[test]
fn an_error_named_exit_ends_the_process() {
    let Some(python) = PythonPeer::start() else { return };
    let answered = fail_a_call(&python, "exit");
    assert!(matches!(answered.outcome(CALL_TIMEOUT + SPARE), Err(Failure::Ended)));
}

/// A client's call answered by a plain ROUTER with ERROR [class, "", ""].
fn fail_a_call(python: &PythonPeer, class: &str) -> Pending {
    let router = json!({
        "name": "router", "type": "ROUTER", "bind": "tcp://127.0.0.1:*", "options": {"IDENTITY": "server"},
    });
    let bound = python.request("raw", router);
    client(
        python,
        "client",
        bound["endpoint"].as_str().unwrap_or_default(),
        CALL_TIMEOUT.as_secs_f64(),
    );
    let answered = python.send("hello", json!({"name": "client"}));
    assert_eq!(receive(python).len(), 2, "the probe");
    let mut frames = receive(python);
    let body = [&[0x93, 0xa0 + class.len() as u8], class.as_bytes(), &[0xa0, 0xa0]].concat();
    frames.splice(4.., [json!("10"), json!(hex(&body))]);
    python.request("raw_send", json!({"name": "router", "frames": frames}));
    answered
}

fn receive(python: &PythonPeer) -> Vec<Value> {
    let message = python.request("raw_recv", json!({"name": "router"}));
    message["frames"].as_array().cloned().unwrap_or_default()
}
