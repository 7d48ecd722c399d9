//! `examples/send_to.rs` and Python: the seed's `client1`, whose password is empty, and the seed's server.

use serde_json::json;

use crate::live::{SERVICE, bounded, check_readers};
use crate::python::PythonPeer;

#[path = "../../../examples/send_to.rs"]
#[allow(dead_code, reason = "its main is not called")]
mod example;

#[tokio::test]
async fn a_python_client1_is_called() {
    let Some(python) = PythonPeer::start() else { return };
    bounded(async {
        let mut service = example::Service::new().expect("a runtime is there");
        let endpoint = service.bind("tcp://127.0.0.1:0").await.expect("loopback has a port");
        let client = json!({
            "name": "client1", "peer_id": SERVICE, "endpoint": endpoint,
            "security": {"security_plugin": "plain", "user_id": "client1", "password": ""},
        });
        python.ask("client", client).await;
        let addition = json!({"name": "client1", "method": "addition", "handler": "add"});
        python.ask("register", addition).await;
        let hello = json!({"name": "client1", "method": "hello", "args": ["Me"]});
        assert_eq!(python.ask("call", hello).await["result"], "Hello Me");
        assert_eq!(service.call_client1().await.expect("it is there"), 6);
        check_readers(&python).await;
    })
    .await;
}

#[tokio::test]
async fn a_python_server_calls_our_client1() {
    let Some(python) = PythonPeer::start() else { return };
    bounded(async {
        let fields = json!({
            "name": "server", "user_id": SERVICE, "endpoint": "tcp://127.0.0.1:*",
            "security": {"security_plugin": "trusted_peer"},
        });
        let bound = python.ask("server", fields).await;
        let endpoint = bound["endpoint"].as_str().expect("a bound server says where");
        let client = example::client1(endpoint).expect("a runtime is there");
        let hello: String = client.call("hello", ("Me",)).await.expect("it believes us");
        assert_eq!(hello, "Hello Me");
        let sent = json!({"name": "server", "to": "client1", "method": "addition", "args": [2, 4]});
        assert_eq!(python.ask("send_to", sent).await["result"], 6);
        check_readers(&python).await;
    })
    .await;
}
