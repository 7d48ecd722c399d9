//! Five clients of one kind, each with a server that it calls.

use std::collections::BTreeMap;
use std::sync::Arc;

use pseud::{CallError, Client, Options, Reason, Secret, Value as Wire};
use serde_json::{Value, json};

use super::scenario::By;
use super::{Answer, Servers};
use crate::live::SERVICE;
use crate::python::PythonPeer;
use crate::tagged::tagged;
use crate::talk::error;

/// Who calls.
pub(super) enum Clients {
    Rust(BTreeMap<By, Client>),
    /// Clients of one Python process.
    Python(Arc<PythonPeer>),
}

impl Clients {
    pub(super) async fn rust(servers: &Servers) -> Self {
        let clients: BTreeMap<By, Client> =
            By::ALL.into_iter().map(|by| (by, rust_client(by, servers.endpoint(by)))).collect();
        for client in clients.values() {
            client.ready().await;
        }
        Self::Rust(clients)
    }

    pub(super) async fn python(python: &Arc<PythonPeer>, servers: &Servers) -> Self {
        for by in By::ALL {
            python_client(python, by, servers.endpoint(by)).await;
        }
        Self::Python(python.clone())
    }

    pub(super) async fn call(&self, by: By, name: &str) -> Answer {
        match self {
            Self::Rust(clients) => match clients[&by].call::<Wire, _>(name, ()).await {
                Ok(value) => Ok(tagged(&value)),
                Err(error) => Err(rust_told(error, name)),
            },
            Self::Python(python) => {
                let mut outcome =
                    python.ask("call", json!({"name": by.name(), "method": name})).await;
                if outcome["error"].is_null() {
                    return Ok(outcome["result"].take());
                }
                Err(python_told(&outcome))
            }
        }
    }
}

fn rust_client(by: By, endpoint: &str) -> Client {
    let options = Options::client(SERVICE);
    let options = match by.password() {
        Some(password) => options.plain_client(by.name(), Secret::new(password)),
        None => options,
    };
    let client = Client::with_options(options).expect("a runtime is there");
    client.connect(endpoint).expect("the endpoints of servers are well-formed");
    client
}

/// A v1 client drops without a word what it cannot send within 400 ms: the handshake comes first.
async fn python_client(python: &PythonPeer, by: By, endpoint: &str) {
    let security = by.password().map(
        |password| json!({"security_plugin": "plain", "user_id": by.name(), "password": password}),
    );
    let fields = json!({
        "name": by.name(), "peer_id": SERVICE, "endpoint": endpoint, "security": security,
        "monitor": true,
    });
    python.ask("client", fields).await;
    let shaken = json!({"name": by.name(), "event": "HANDSHAKE_SUCCEEDED"});
    python.ask("events", shaken).await;
}

/// The class and message of what a Python client was told.
fn python_told(outcome: &Value) -> (String, String) {
    let (class, message) = error(outcome);
    // A class that it does not know stands before the traceback.
    let class = match class {
        "Exception" => outcome["error"]["message"].as_str().and_then(|text| text.lines().next()),
        known => Some(known),
    };
    (class.unwrap_or_default().to_owned(), message.to_owned())
}

/// The class and message of what a Rust client was told.
fn rust_told(error: CallError, name: &str) -> (String, String) {
    match error {
        CallError::Fault(fault) => (fault.class, fault.message),
        // What a peer of ours says of a name that nobody serves is known not to have run.
        CallError::NotExecuted(Reason::NoSuchService) => {
            ("ServiceNotFoundError".to_owned(), name.to_owned())
        }
        other => (format!("{other:?}"), String::new()),
    }
}
