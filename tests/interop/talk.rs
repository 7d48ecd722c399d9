//! Short forms of what most conversations with Python begin with.

use serde_json::{Value, json};

use crate::python::PythonPeer;

/// A server called `server` and a client called `client`, connected; the server's endpoint.
pub(crate) fn pair(python: &PythonPeer) -> String {
    let endpoint = server(python);
    client(python, "client", &endpoint, 5.0);
    endpoint
}

/// A server called `server`; its endpoint.
pub(crate) fn server(python: &PythonPeer) -> String {
    let fields = json!({"name": "server", "user_id": "server", "endpoint": "tcp://127.0.0.1:*"});
    let bound = python.request("server", fields);
    bound["endpoint"].as_str().expect("a bound server says where").to_owned()
}

/// A client of that server; `timeout` in seconds.
pub(crate) fn client(python: &PythonPeer, name: &str, endpoint: &str, timeout: f64) {
    let fields =
        json!({"name": name, "peer_id": "server", "endpoint": endpoint, "timeout": timeout});
    python.request("client", fields);
}

/// The outcome of one call: `{"result"}` or `{"error"}`.
pub(crate) fn call(python: &PythonPeer, name: &str, method: &str, args: Value) -> Value {
    python.request("call", json!({"name": name, "method": method, "args": args}))
}

/// The class of a call's error, and the last line of its message: before it is a traceback.
pub(crate) fn error(outcome: &Value) -> (&str, &str) {
    let text = |field: &str| outcome["error"][field].as_str().expect("the call failed");
    (text("class"), text("message").lines().last().unwrap_or_default())
}

/// Bytes in the tagged JSON of `peer.py`.
pub(crate) fn bytes(bytes: &[u8]) -> Value {
    json!({"$bytes": hex(bytes)})
}

/// Bytes as the frames of `raw_send` and `raw_recv` write them.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
