//! S-01 with unchanged peers: a relay between pyzmq (libzmq 4.3.5) and us. Traffic that nobody edits
//! counts by one for as long as it likes; edited traffic ends the link on our side.

use std::time::Duration;

use pseud::proto::{Insecure, PeerError};
use pseud::{Client, ConnectionEvent, Events, Reason};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::live::bounded;
use crate::python::PythonPeer;
use crate::secured::{Secured, USERNAME};
use crate::security_live::{
    Shown, python_client_with, python_server_with, rust_client, rust_server, shaken,
};
use pseud_testkit::path::{CarriedLink, Change, Relay};
use pseud_testkit::path::{EDITS, Edit, numbers};

/// HELLO and INITIATE, or WELCOME and READY.
const HANDSHAKE: usize = 2;
/// Frames of a message of pseud's.
const FRAMES: usize = 5;
/// Calls of each conversation that nobody edits, and how many are on their way at once.
const CALLS: usize = 300;
const AT_ONCE: usize = 50;

/// How long a Python client's calls wait, in seconds; those that will never be answered not for long.
const PATIENT: f64 = 5.0;
const HASTY: f64 = 0.2;

/// PINGs of libzmq's, and our PONGs, between the messages.
fn pinging() -> Value {
    json!({"HEARTBEAT_IVL": 10, "HEARTBEAT_TIMEOUT": 10_000})
}

async fn relay_to(endpoint: &str, change: Change) -> (Relay, String) {
    let far = endpoint.strip_prefix("tcp://").and_then(|far| far.parse().ok());
    let relay = Relay::to(far.expect("an endpoint of TCP"), change).await;
    let near = format!("tcp://{}", relay.address);
    (relay, near)
}

/// More than so many frames went each way, and their numbers count by one.
fn assert_counted(carried: &CarriedLink, more_than: usize) {
    let (up, down) = (numbers(&carried.up), numbers(&carried.down));
    for (direction, numbers) in [("up", &up[..]), ("down", &down[1..])] {
        assert!(numbers.len() > more_than, "{direction}: {}", numbers.len());
        assert!(numbers.iter().copied().eq((1..).map(Some).take(numbers.len())), "{direction}");
    }
}

#[tokio::test]
async fn a_pyzmq_client_and_our_server_count_by_one_for_long() {
    let Some(python) = PythonPeer::start() else { return };
    bounded(async {
        let (server, endpoint) = rust_server(Secured::Curve).await;
        let (relay, near) = relay_to(&endpoint, Change::Nothing).await;
        python_comes(&python, "client", &near, PATIENT).await;
        for _ in 0..CALLS / AT_ONCE {
            let back = || python.send("call", json!({"name": "client", "method": "back"}));
            let calls: Vec<_> = (0..AT_ONCE).map(|_| back()).collect();
            for call in calls {
                assert_eq!(call.done().await["result"], "Hello back");
            }
        }
        assert_eq!(server.stats().sessions, 1);
        python.ask("stop", json!({"name": "client"})).await;
        // Calls and answers to ours; calls of ours and answers.
        assert_counted(&relay.carried().await, HANDSHAKE + 2 * CALLS * FRAMES + 1);
    })
    .await;
}

#[tokio::test]
async fn our_client_and_a_pyzmq_server_count_by_one_for_long() {
    let Some(python) = PythonPeer::start() else { return };
    bounded(async {
        let endpoint = python_server_with(&python, Secured::Curve, pinging()).await;
        let (relay, near) = relay_to(&endpoint, Change::Nothing).await;
        let client = rust_client(Secured::Curve, Shown::Known, &near);
        client.ready().await;
        // Python knows our user once we have called.
        assert_eq!(add(&client, 1).await.expect("it is served"), 8);
        for round in 0..CALLS / AT_ONCE {
            let to_us = || python.send("hello", json!({"name": "server", "to": USERNAME}));
            let back: Vec<_> = (0..AT_ONCE).map(|_| to_us()).collect();
            for number in 0..AT_ONCE {
                let name = format!("{round} {number}");
                let hello: String = client.call("hello", (&name,)).await.expect("it is served");
                assert_eq!(hello, format!("Hello {name}"));
            }
            for call in back {
                assert_eq!(call.done().await["result"], "Hello again");
            }
        }
        client.disconnect(&near).expect("it is connected there");
        assert_counted(&relay.carried().await, HANDSHAKE + 2 * CALLS * FRAMES + 1);
    })
    .await;
}

#[tokio::test]
async fn s_01_edited_frames_of_a_pyzmq_client_end_its_link_at_our_server() {
    let Some(python) = PythonPeer::start() else { return };
    bounded(async {
        let (server, endpoint) = rust_server(Secured::Curve).await;
        python_comes(&python, "honest", &endpoint, PATIENT).await;
        let mut events = server.events();
        for (index, edit) in of_the_first_calls() {
            let (relay, near) = relay_to(&endpoint, Change::UpFrame(index, edit)).await;
            python_comes(&python, "client", &near, HASTY).await;
            let adds = (0..2).map(|number| {
                let fields = json!({"name": "client", "method": "add", "args": [number, 7]});
                (number, python.send("call", fields))
            });
            let adds: Vec<_> = adds.collect();
            let carried = relay.carried().await;
            let end = ended(&mut events, &carried.seen_at.to_string()).await;
            assert_eq!(end, why(edit), "{index} {edit:?}");
            for (number, add) in adds {
                let outcome = add.done().await;
                let is_right = outcome["result"] == number + 7;
                let is_late = outcome["error"]["class"] == "TimeoutError";
                assert!(is_right || is_late, "{index} {edit:?} {outcome}");
            }
            python.ask("stop", json!({"name": "client"})).await;
            served(&python, "honest").await;
        }
    })
    .await;
}

#[tokio::test]
async fn s_01_edited_frames_of_a_pyzmq_server_end_its_link_at_our_client() {
    let Some(python) = PythonPeer::start() else { return };
    bounded(async {
        let endpoint = python_server_with(&python, Secured::Curve, pinging()).await;
        let honest = rust_client(Secured::Curve, Shown::Known, &endpoint);
        honest.ready().await;
        for (index, edit) in of_the_first_calls() {
            let (relay, near) = relay_to(&endpoint, Change::DownFrame(index, edit)).await;
            let client = rust_client(Secured::Curve, Shown::Known, &near);
            let mut events = client.events();
            let adds = tokio::join!(add(&client, 1), add(&client, 2));
            for (number, outcome) in [(1, adds.0), (2, adds.1)] {
                match outcome {
                    Ok(sum) => assert_eq!(sum, number + 7, "{index} {edit:?}"),
                    // What Python ran nobody knows: its answers were lost.
                    Err(error) => assert!(!error.is_retry_safe(), "{index} {edit:?}: {error}"),
                }
            }
            let near = near.strip_prefix("tcp://").expect("an endpoint of TCP");
            assert_eq!(ended(&mut events, near).await, why(edit), "{index} {edit:?}");
            drop(client);
            relay.carried().await;
            assert_eq!(add(&honest, 3).await.expect("it is served"), 10);
        }
    })
    .await;
}

/// Frames of the probe and of the first message, and what is done to each.
fn of_the_first_calls() -> impl Iterator<Item = (usize, Edit)> {
    (HANDSHAKE..HANDSHAKE + 1 + FRAMES).flat_map(|index| EDITS.map(|edit| (index, edit)))
}

fn why(edit: Edit) -> PeerError {
    match edit {
        Edit::Double => Insecure::Replay.into(),
        Edit::Delete(_) | Edit::Swap(_) => Insecure::Gap.into(),
    }
}

/// For which fault of the peer's the link to that address ends.
async fn ended(events: &mut Events, other: &str) -> PeerError {
    let end = async {
        loop {
            if let Some(ConnectionEvent::Disconnected { address, reason, .. }) = events.next().await
                && address == other
            {
                return reason;
            }
        }
    };
    match timeout(Duration::from_secs(10), end).await.expect("the link ends") {
        Reason::PeerFault(error) => error,
        other => panic!("it ended as {other:?}"),
    }
}

/// A Python client that we know, connected.
async fn python_comes(python: &PythonPeer, name: &str, endpoint: &str, timeout: f64) {
    let (secured, shown) = (Secured::Curve, Shown::Known);
    python_client_with(python, secured, name, shown, endpoint, timeout, pinging()).await;
    shaken(python, name, "HANDSHAKE_SUCCEEDED").await;
}

/// That Python client is served as if nothing were the matter.
async fn served(python: &PythonPeer, name: &str) {
    let outcome = python.ask("call", json!({"name": name, "method": "whoami"})).await;
    assert_eq!(outcome["result"], USERNAME);
}

async fn add(client: &Client, number: i64) -> Result<i64, pseud::CallError> {
    client.call("add", (number, 7)).timeout(Duration::from_secs(2)).await
}
