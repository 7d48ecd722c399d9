//! A Rust client of a Python server.

use std::collections::BTreeMap;

use bytes::Bytes;
use pseud::{CallError, Fault, Options, Value};
use serde_json::json;
use tokio::task::JoinSet;

use crate::live::{RustCalls, SERVICE};

const MIB: usize = 1 << 20;

#[tokio::test]
async fn a_rust_client_calls_a_python_server() {
    RustCalls::hold(async |room| {
        let hello: String = room.client.call("hello", ("Charly",)).await.expect("a greeting");
        assert_eq!(hello, "Hello Charly");
        let sum: i64 = room.client.call("add", (2, -3)).await.expect("a sum");
        assert_eq!(sum, -1);
        let sum: f64 = room.client.call("add", (2, 0.5)).await.expect("a sum");
        assert_eq!(sum, 2.5);
        let joined: String = room.client.call("add", ("ü", "\0")).await.expect("a text");
        assert_eq!(joined, "ü\0");
        let stats = room.client.stats();
        assert_eq!((stats.sessions, stats.calls_made, stats.dropped_total()), (1, 4, 0));
    })
    .await;
}

#[tokio::test]
async fn keywords_of_a_rust_call_arrive() {
    RustCalls::hold(async |room| {
        let keywords = BTreeMap::from([("a", 40), ("b", 2)]);
        let sum: i64 = room.client.call("add", ()).kwargs(keywords).await.expect("a sum");
        assert_eq!(sum, 42);
        let calls = room.python.ask("calls", json!({"name": "server", "count": 1})).await;
        assert_eq!(calls[0]["kwargs"], json!({"$map": [["a", 40], ["b", 2]]}));
        let wrong = BTreeMap::from([("c", 1)]);
        let failed: Result<i64, _> = room.client.call("add", ()).kwargs(wrong).await;
        assert_eq!(fault(failed).class, "TypeError");
    })
    .await;
}

#[tokio::test]
async fn what_python_raises_is_a_fault_of_that_class() {
    RustCalls::hold(async |room| {
        // The last ones are data here: nothing is looked up by them.
        let known = ["ValueError", "ServiceNotFoundError", "UnauthorizedError"];
        for class in
            known.into_iter().chain(["MyError", "SystemExit", "UnicodeDecodeError", "exit"])
        {
            let fault = fail(room, class).await;
            assert_eq!((fault.class.as_str(), fault.message.as_str()), (class, "why"));
            let traceback = fault.traceback.as_deref().unwrap_or_default();
            assert!(traceback.starts_with("Traceback (most recent call last):"), "{fault:?}");
        }
        // Python's `str(KeyError("why"))` has the quotes.
        assert_eq!(fail(room, "KeyError").await.message, "'why'");
    })
    .await;
}

/// Python's `raise ValueError()`.
#[tokio::test]
async fn an_exception_without_a_message_is_shown_as_its_class() {
    RustCalls::hold(async |room| {
        let raised = room.client.call::<Value, _>("fail", ("ValueError", "")).await;
        let error = raised.expect_err("it raises");
        assert_eq!(error.to_string(), "the peer raised ValueError");
    })
    .await;
}

#[tokio::test]
async fn a_name_that_python_does_not_serve_is_not_found() {
    RustCalls::hold(async |room| {
        let missing = fault(room.client.call::<Value, _>("no.such", ()).await);
        assert_eq!(
            (missing.class.as_str(), missing.message.as_str()),
            ("ServiceNotFoundError", "no.such")
        );
        let dotted = json!({"name": "server", "method": "no.such", "handler": "hello"});
        room.python.ask("register", dotted).await;
        let found: String = room.client.call("no.such", ("now",)).await.expect("it is served now");
        assert_eq!(found, "Hello now");
    })
    .await;
}

#[tokio::test]
async fn a_result_of_another_type_is_said_to_be_one() {
    RustCalls::hold(async |room| {
        let result: Result<i64, _> = room.client.call("hello", ("Charly",)).await;
        assert!(matches!(result, Err(CallError::Result(_))), "{result:?}");
    })
    .await;
}

#[tokio::test]
async fn a_mebibyte_goes_to_python_and_back() {
    RustCalls::hold(async |room| {
        let body: Bytes = (0..MIB).map(|index| (index % 251) as u8).collect();
        let sent = Value::Bin(body);
        let echoed: Value = room.client.call("echo", (&sent,)).await.expect("an echo");
        let args = echoed.as_array().and_then(|both| both.first()?.as_array());
        assert!(args == Some(&[sent]), "the bytes differ");
        let big: Value = room.client.call("big", (MIB,)).await.expect("bytes");
        assert!(big.as_bytes().is_some_and(|big| big == vec![b'x'; MIB]));
    })
    .await;
}

/// 64 containers inside each other may travel; the echo's own two are among them on the way back.
#[tokio::test]
async fn the_deepest_nest_goes_to_python_and_back() {
    RustCalls::hold(async |room| {
        let nest = |inner, _| Value::Array(vec![inner]);
        let deepest = (0..62).fold(Value::Nil, nest);
        let echoed: Value = room.client.call("echo", (&deepest,)).await.expect("an echo");
        let args = echoed.as_array().and_then(|both| both.first()?.as_array());
        assert_eq!(args, Some(&[deepest.clone()][..]));
        let deeper = (62..65).fold(deepest, nest);
        let refused = room.client.call::<Value, _>("echo", (deeper,)).await;
        assert!(matches!(refused, Err(CallError::Refused(_))), "{refused:?}");
    })
    .await;
}

#[tokio::test]
async fn a_hundred_calls_go_to_python_at_once() {
    RustCalls::with(Options::client(SERVICE).identity("many"), async |room| {
        let mut calls = JoinSet::new();
        for number in 0..100 {
            let client = room.client.clone();
            calls.spawn(async move {
                let sum: i64 = client.call("add", (number, 1)).await.expect("a sum");
                sum - number
            });
        }
        assert_eq!(calls.join_all().await, [1; 100]);
    })
    .await;
}

async fn fail(room: &RustCalls, class: &str) -> Fault {
    fault(room.client.call::<Value, _>("fail", (class, "why")).await)
}

fn fault<T: std::fmt::Debug>(outcome: Result<T, CallError>) -> Fault {
    match outcome {
        Err(CallError::Fault(fault)) => fault,
        other => panic!("{other:?} is not a fault"),
    }
}
