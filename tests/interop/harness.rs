//! The harness itself: commands in flight, failures told apart.

use std::time::Duration;

use serde_json::json;

use crate::python::{Failure, PythonPeer};
use crate::talk::bytes;

#[tokio::test]
async fn commands_overlap_and_async_tests_can_wait_for_them() {
    let Some(python) = PythonPeer::start() else { return };
    let about = python.ask("about", json!({})).await;
    assert_eq!((&about["pid"], &about["msgpack"]), (&json!(python.pid()), &json!("0.6.2")));
    let fields = json!({"name": "server", "user_id": "server", "endpoint": "tcp://127.0.0.1:*"});
    let bound = python.ask("server", fields).await;
    // Sent first, answered last: nobody has connected yet.
    let probed = python.send("received", json!({"name": "server", "count": 1}));
    let fields = json!({"name": "client", "peer_id": "server", "endpoint": bound["endpoint"]});
    python.ask("client", fields).await;
    assert_eq!(probed.done().await[0][1], bytes(b""));
}

#[test]
fn a_command_that_raises_and_a_process_that_ends_are_told_apart() {
    let Some(python) = PythonPeer::start() else { return };
    let wait = Duration::from_secs(10);
    match python.send("alive", json!({"surplus": 1})).outcome(wait) {
        Err(Failure::Raised { class, message }) => {
            assert_eq!(class, "TypeError");
            assert!(message.contains("surplus"), "{message}");
        }
        other => panic!("{other:?}"),
    }
    let never = python.send("received", json!({"name": "nobody"})).outcome(wait);
    assert!(matches!(never, Err(Failure::Raised { class, .. }) if class == "KeyError"));
    let quit = python.send("quit", json!({}));
    assert!(matches!(quit.outcome(wait), Err(Failure::Ended)));
    assert!(matches!(python.send("about", json!({})).outcome(wait), Err(Failure::Ended)));
}
