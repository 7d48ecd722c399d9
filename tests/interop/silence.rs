//! Python clients that only wait to be called live, whoever of the two PINGs.

use pseud::{Options, Server};
use serde_json::json;
use std::time::Duration;
use tokio::time::timeout;

use crate::live::{PythonCalls, SERVICE};

const INTERVAL: Duration = Duration::from_millis(200);
const TIMEOUT: Duration = Duration::from_millis(600);

/// A server that PINGs often, or never.
fn options(pings: bool) -> Options {
    let mut options = Options::server(SERVICE);
    let heartbeat = &mut options.connection.heartbeat;
    heartbeat.interval = pings.then_some(INTERVAL);
    heartbeat.timeout = TIMEOUT;
    options
}

#[tokio::test]
async fn python_clients_that_only_wait_to_be_called_live() {
    for pings in [true, false] {
        PythonCalls::with(options(pings), 5.0, async |room| {
            let mut silent = Vec::new();
            for (name, options) in [
                ("quiet", json!({})),
                ("beating", json!({"HEARTBEAT_IVL": 200, "HEARTBEAT_TIMEOUT": 600})),
                ("with a ttl", json!({"HEARTBEAT_IVL": 200, "HEARTBEAT_TTL": 600})),
            ] {
                silent.push(room.connect(name, 5.0, options).await);
            }
            nothing_happens(&room.server).await;
            for peer in silent {
                let hello: String = peer.call("hello", ("again",)).await.expect("it serves");
                assert_eq!(hello, "Hello again");
            }
        })
        .await;
    }
}

/// No link comes or goes for five time-outs.
async fn nothing_happens(server: &Server) {
    let mut events = server.events();
    let event = timeout(5 * TIMEOUT, events.next()).await;
    assert!(event.is_err(), "{event:?}");
}
