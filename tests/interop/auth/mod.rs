//! The reference's authentication plug-ins, each beside ours: who comes in, who does not, and logins.

mod drivers;
mod matrix;
mod reference_tests;
mod send_to;
mod twins;
mod untrusted_curve;

use pseud::{AuthBackends, Client, Fault, KeyPair, Options, Role, Secret, Security, Server};
use serde_json::{Value, json};

use crate::live::{SERVICE, serve};
use crate::python::PythonPeer;
use crate::secured::{PASSWORD, USERNAME, client_pair, server_pair};
use crate::talk::bytes;

/// The reference's plug-ins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plugin {
    Noop,
    Plain,
    TrustedPeer,
    TrustedCurve,
    UntrustedCurve,
}

/// Whom a server knows, and what a client shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Known,
    /// Of a wrong password, or key; where none is wrong, of another mechanism.
    Unknown,
}

impl Plugin {
    /// Python's name of it on that side.
    fn python(self, is_server: bool) -> &'static str {
        match self {
            Self::Noop => "noop_auth_backend",
            Self::Plain => "plain",
            Self::TrustedPeer if is_server => "trusted_peer",
            Self::TrustedPeer => "plain",
            Self::TrustedCurve => "trusted_curve",
            Self::UntrustedCurve => "untrusted_curve",
        }
    }

    fn server_options(self) -> Options {
        let mut security = Security::default();
        match self {
            Self::Noop | Self::TrustedPeer => {}
            Self::Plain => security.users.push((USERNAME.into(), Secret::new(PASSWORD))),
            Self::TrustedCurve => security.keys.push((*client_pair().public(), USERNAME.into())),
            Self::UntrustedCurve => security.users.push((USERNAME.into(), Secret::new(PASSWORD))),
        }
        security.key_pair = Some(server_pair());
        let options = Options::server(SERVICE);
        let configured =
            AuthBackends::default().configure(Role::Server, self.python(true), security, options);
        configured.expect("it is ready-made")
    }

    fn client_options(self, who: Who) -> Options {
        let security = Security {
            user_id: USERNAME.into(),
            password: Secret::new(who.password()),
            key_pair: Some(who.pair()),
            peer_public_key: Some(*server_pair().public()),
            ..Security::default()
        };
        let name = match (self, who) {
            (Self::Noop, Who::Unknown) => "plain",
            (Self::TrustedPeer, Who::Unknown) => "noop",
            _ => self.python(false),
        };
        let options = Options::client(SERVICE);
        let configured = AuthBackends::default().configure(Role::Client, name, security, options);
        configured.expect("it is ready-made")
    }

    /// What a Python client is given.
    fn client_security(self, who: Who) -> Value {
        let plain = json!({
            "security_plugin": "plain", "user_id": USERNAME, "password": who.password(),
        });
        let curve = |pair: KeyPair| {
            json!({
                "security_plugin": self.python(false),
                "peer_public_key": server_pair().public().to_string(),
                "public_key": pair.public().to_string(),
                "secret_key": *pair.secret().to_z85(),
            })
        };
        match (self, who) {
            (Self::Noop, Who::Known) | (Self::TrustedPeer, Who::Unknown) => json!(null),
            (Self::Noop | Self::Plain | Self::TrustedPeer, _) => plain,
            (Self::TrustedCurve, _) => curve(who.pair()),
            (Self::UntrustedCurve, _) => {
                let mut security = curve(who.pair());
                security["user_id"] = json!(USERNAME);
                security["password"] = json!(who.password());
                security
            }
        }
    }

    /// What a Python server is given: its security, and whom it knows.
    fn server_security(self) -> (Value, Value) {
        let named = json!({"security_plugin": self.python(true)});
        let keyed = json!({
            "security_plugin": self.python(true), "secret_key": *server_pair().secret().to_z85(),
        });
        match self {
            Self::Noop => (json!(null), json!([])),
            Self::Plain => (named, json!([[USERNAME, PASSWORD, USERNAME]])),
            Self::TrustedPeer => (named, json!([])),
            Self::TrustedCurve => {
                (keyed, json!([[bytes(client_pair().public().as_bytes()), USERNAME]]))
            }
            Self::UntrustedCurve => (keyed, json!([[USERNAME, PASSWORD]])),
        }
    }
}

impl Who {
    fn password(self) -> &'static str {
        if self == Self::Known { PASSWORD } else { "something else" }
    }

    fn pair(self) -> KeyPair {
        if self == Self::Known { client_pair() } else { KeyPair::generate([0xba; 32]) }
    }
}

/// Our server of that plug-in: `whoami` tells the user, and `back` what its caller answers.
async fn rust_server(plugin: Plugin) -> (Server, String) {
    let server = Server::with_options(plugin.server_options()).expect("a runtime is there");
    serve(server.node());
    let whoami = |request: pseud::Request| Ok::<_, Fault>(request.user().to_string());
    server.register_sync("whoami", whoami).expect("a free name");
    let endpoint = server.bind("tcp://127.0.0.1:0").await.expect("loopback has a port");
    (server, endpoint.into())
}

fn rust_client(plugin: Plugin, who: Who, endpoint: &str) -> Client {
    let client = Client::with_options(plugin.client_options(who)).expect("a runtime is there");
    serve(client.node());
    client.connect(endpoint).expect("endpoints are well-formed");
    client
}

async fn python_server(python: &PythonPeer, plugin: Plugin) -> String {
    let (security, known) = plugin.server_security();
    let fields = json!({
        "name": "server", "user_id": SERVICE, "endpoint": "tcp://127.0.0.1:*",
        "security": security, "known": known,
    });
    let bound = python.ask("server", fields).await;
    bound["endpoint"].as_str().expect("a bound server says where").to_owned()
}

/// Its calls wait for so many seconds.
async fn python_client(
    python: &PythonPeer,
    (name, plugin, who): (&str, Plugin, Who),
    endpoint: &str,
    timeout: f64,
) {
    let fields = json!({
        "name": name, "peer_id": SERVICE, "endpoint": endpoint, "timeout": timeout,
        "security": plugin.client_security(who), "monitor": true,
    });
    python.ask("client", fields).await;
}

async fn shaken(python: &PythonPeer, name: &str) {
    python.ask("events", json!({"name": name, "event": "HANDSHAKE_SUCCEEDED"})).await;
}

async fn call(python: &PythonPeer, name: &str, method: &str) -> Value {
    python.ask("call", json!({"name": name, "method": method})).await
}
