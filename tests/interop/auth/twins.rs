//! Python clients that take one name from each other: what our server says to who is replaced harms none.

use pseud::{ConnectionEvent, Reason};
use serde_json::json;

use super::{Plugin, rust_server};
use crate::live::{SERVICE, bounded, check_readers};
use crate::python::PythonPeer;

#[tokio::test]
async fn e_08_python_twins_live_on() {
    for plugin in [Plugin::Noop, Plugin::TrustedCurve] {
        let Some(python) = PythonPeer::start() else { return };
        bounded(async {
            let (server, endpoint) = rust_server(plugin).await;
            let mut events = server.events();
            for name in ["one", "other"] {
                let fields = json!({
                    "name": name, "peer_id": SERVICE, "endpoint": endpoint, "timeout": 5.0,
                    "security": plugin.client_security(super::Who::Known),
                    "options": {"ROUTING_ID": "desk"},
                });
                python.ask("client", fields).await;
            }
            // libzmq connects again after 100 ms, for ever.
            let mut replaced = 0;
            while replaced < 6 {
                if let Some(ConnectionEvent::Disconnected { reason, .. }) = events.next().await {
                    assert_eq!(reason, Reason::Replaced);
                    replaced += 1;
                }
            }
            check_readers(&python).await;
            python.ask("stop", json!({"name": "other"})).await;
            loop {
                let hello = python.ask("hello", json!({"name": "one"})).await;
                if hello["result"] == "Hello again" {
                    break;
                }
                // Its call went with the link that it was sent on.
                assert_eq!(hello["error"]["class"], "TimeoutError", "{hello}");
            }
            check_readers(&python).await;
        })
        .await;
    }
}
