//! A Python peer calls ours.

use super::{SECRET, calls, connect, is_python3, packages, path, rust_server, serve, soon};
use crate::python::Failure;
use pseud::tokio::kaa::Server;
use pseud::{ConnectionEvent, PeerError, proto::Insecure};
use serde_json::json;
use std::time::Duration;

/// Time one command may take.
const AT_MOST: Duration = Duration::from_secs(20);

#[tokio::test]
async fn arguments_keywords_and_results() {
    let Some((python, _server, _)) = soon(rust_server()).await else { return };
    assert_eq!(soon(calls(&python, "add", json!([1, 2]))).await, 3);
    let echo = json!({"name": "python", "method": "echo", "args": [1, "ü"], "kwargs": {"b": 2}});
    let echoed = soon(python.ask("call", echo)).await;
    assert_eq!(echoed, json!([[1, "ü"], {"$map": [["b", 2]]}]));
}

#[tokio::test]
async fn every_kind_of_value_comes_back() {
    let Some((python, _server, _)) = soon(rust_server()).await else { return };
    let sent = json!([
        null, true, -1, 255, 70_000, 1.5, "text", "é€", "",
        {"$int": "1208925819614629174706176"},
        {"$int": "-1208925819614629174706176"},
        {"$int": "9223372036854775808"},
        {"$bytes": "ff00"}, {"$set": [1, 2]}, {"$complex": [1.0, -2.0]},
        {"$map": [[1, "one"], ["two", [2]]]},
    ]);
    let echoed = soon(calls(&python, "echo", sent.clone())).await;
    assert_eq!(echoed[0], sent);
    // ASCII in a `str` of Python 2 is text, which is equal to it.
    let ascii = soon(calls(&python, "echo", json!([{"$bytes": "6162"}]))).await;
    let expected = match soon(is_python3(&python)).await {
        true => json!([{"$bytes": "6162"}]),
        false => json!(["ab"]),
    };
    assert_eq!(ascii[0], expected);
    let date =
        soon(calls(&python, "echo", json!([{"$date": [2003, 9, 27, 9, 40, 1, 521_290]}]))).await;
    assert_eq!(date[0], json!([{"$date": "2003-09-27T09:40:01.521290"}]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_are_exceptions_of_their_classes() {
    let Some((python, _server, _)) = soon(rust_server()).await else { return };
    for (class, arrives, message) in [
        ("ValueError", "ValueError", "why"),
        ("KeyError", "KeyError", "why"),
        ("PermissionError", "OSError", "PermissionError: why"),
        ("SoldOut", "Exception", "SoldOut: why"),
    ] {
        let fields = json!({"name": "python", "method": "fail", "args": [class, "why"]});
        let Err(Failure::Raised { class: found, message: told }) =
            python.send("call", fields).outcome(AT_MOST)
        else {
            panic!("{class} did not arrive")
        };
        assert_eq!((found.as_str(), told.as_str()), (arrives, message));
    }
    let missing = json!({"name": "python", "method": "nobody"});
    let outcome = python.send("call", missing).outcome(AT_MOST);
    assert!(matches!(outcome, Err(Failure::Raised { class, .. }) if class == "KeyError"));
    let short = json!({"name": "python", "method": "add", "args": [1]});
    let outcome = python.send("call", short).outcome(AT_MOST);
    assert!(matches!(outcome, Err(Failure::Raised { class, .. }) if class == "TypeError"));
}

#[tokio::test]
async fn called_back_while_it_calls() {
    let Some((python, server, _)) = soon(rust_server()).await else { return };
    let told = soon(calls(&python, "call_back", json!(["who"]))).await;
    assert_eq!(told, json!(["called back", "python"]));
    let session = server.all_sessions().remove(0);
    let who: String = soon(session.call("who", ())).await.unwrap();
    assert_eq!(who, "python");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_values_and_those_that_are_too_large() {
    let Some((python, _server, _)) = soon(rust_server()).await else { return };
    let text = soon(calls(&python, "text", json!([1_000_000]))).await;
    assert_eq!(text.as_str().map(str::len), Some(1_000_000));
    let large = json!({"name": "python", "method": "text", "args": [1 << 20]});
    let outcome = python.send("call", large).outcome(AT_MOST);
    let Err(Failure::Raised { message, .. }) = outcome else { panic!("{outcome:?}") };
    assert!(message.starts_with("TooLarge"), "{message}");
    assert_eq!(soon(calls(&python, "add", json!([1, 2]))).await, 3);
}

#[tokio::test]
async fn a_wrong_secret_is_told_here() {
    let Some(python) = packages::start() else { return };
    let server = Server::new(SECRET).unwrap();
    let mut events = server.events();
    let address = server.bind(&path()).await.unwrap();
    soon(connect(&python, &address, "another", json!(null))).await;
    let error = loop {
        if let Some(ConnectionEvent::HandshakeFailed { error, .. }) = soon(events.next()).await {
            break error;
        }
    };
    assert_eq!(error, PeerError::Insecure(Insecure::WrongSecret));
    assert_eq!(soon(python.ask("is_open", json!({"name": "python"}))).await, false);
}

#[tokio::test]
async fn a_retrying_client_comes_back() {
    let Some(python) = packages::start() else { return };
    let server = Server::new(SECRET).unwrap();
    let address = server.bind(&path()).await.unwrap();
    let mut events = server.events();
    soon(connect(&python, &address, SECRET, json!(0.1))).await;
    while !matches!(soon(events.next()).await, Some(ConnectionEvent::Connected { .. })) {}
    server.shutdown();
    let again = Server::new(SECRET).unwrap();
    serve(&again.registry(), "rust");
    let mut events = again.events();
    again.bind(&address).await.unwrap();
    while !matches!(soon(events.next()).await, Some(ConnectionEvent::Connected { .. })) {}
    let session = again.all_sessions().remove(0);
    let told: Vec<String> = soon(session.call("call_back", ("who",))).await.unwrap();
    assert_eq!(told, ["called back", "rust"]);
}

#[tokio::test]
async fn over_tcp() {
    let Some(python) = packages::start() else { return };
    let server = Server::new(SECRET).unwrap();
    serve(&server.registry(), "rust");
    let address = server.bind("127.0.0.1:0").await.unwrap();
    soon(connect(&python, &address, SECRET, json!(null))).await;
    soon(python.ask("open", json!({"name": "python"}))).await;
    assert_eq!(soon(calls(&python, "add", json!([1, 2]))).await, 3);
}
