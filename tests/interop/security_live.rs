//! Calls both ways over PLAIN and CURVE, Python with plug-ins of its own (`plugins.py`).

use std::time::Duration;

use pseud::{
    Authenticator, CallError, Client, ConnectionEvent, Fault, KeyPair, Options, Reason, Secret,
    Server,
};
use serde_json::{Value, json};

use crate::live::{SERVICE, bounded, serve};
use crate::python::PythonPeer;
use crate::secured::{PASSWORD, Secured, USERNAME, client_pair, server_pair};
use crate::talk::bytes;

#[tokio::test]
async fn python_calls_rust_and_is_called_back_over_plain() {
    python_calls_rust(Secured::Plain).await;
}

#[tokio::test]
async fn python_calls_rust_and_is_called_back_over_curve() {
    python_calls_rust(Secured::Curve).await;
}

#[tokio::test]
async fn rust_calls_python_and_is_called_back_over_plain() {
    rust_calls_python(Secured::Plain).await;
}

#[tokio::test]
async fn rust_calls_python_and_is_called_back_over_curve() {
    rust_calls_python(Secured::Curve).await;
}

async fn python_calls_rust(secured: Secured) {
    let Some(python) = PythonPeer::start() else { return };
    bounded(async {
        let (server, endpoint) = rust_server(secured).await;
        python_client(&python, secured, "client", true, &endpoint).await;
        shaken(&python, "client", "HANDSHAKE_SUCCEEDED").await;
        assert_eq!(call(&python, "client", "whoami").await["result"], USERNAME);
        assert_eq!(call(&python, "client", "back").await["result"], "Hello back");

        let mut events = server.events();
        python_client(&python, secured, "stranger", false, &endpoint).await;
        shaken(&python, "stranger", "HANDSHAKE_FAILED_AUTH").await;
        refused(&mut events).await;
        let unheard = call(&python, "stranger", "whoami").await;
        assert_eq!(unheard["error"]["class"], "TimeoutError", "{unheard}");
        let hello = python.ask("hello", json!({"name": "client"})).await;
        assert_eq!(hello["result"], "Hello again");
        assert_eq!((server.stats().sessions, server.stats().requests_served), (1, 3));
    })
    .await;
}

async fn rust_calls_python(secured: Secured) {
    let Some(python) = PythonPeer::start() else { return };
    bounded(async {
        let endpoint = python_server(&python, secured).await;
        let client = rust_client(secured, true, &endpoint);
        client.ready().await;
        let hello: String = client.call("hello", ("Charly",)).await.expect("it knows us");
        assert_eq!(hello, "Hello Charly");
        // By the user id that the gate gave us: we announced no routing id.
        let back = python.ask("hello", json!({"name": "server", "to": USERNAME})).await;
        assert_eq!(back["result"], "Hello again", "{back}");

        let stranger = rust_client(secured, false, &endpoint);
        let mut events = stranger.events();
        refused(&mut events).await;
        let unheard = stranger.call::<String, _>("hello", ("Charly",));
        let unheard = unheard.timeout(Duration::from_millis(300)).await;
        let not_executed = matches!(unheard, Err(CallError::NotExecuted(Reason::NotConnected)));
        assert!(not_executed, "{unheard:?}");
        let hello: String = client.call("hello", ("again",)).await.expect("it is well");
        assert_eq!(hello, "Hello again");
        let calls = python.ask("calls", json!({"name": "server"})).await;
        assert_eq!(calls.as_array().map(Vec::len), Some(2), "{calls}");
    })
    .await;
}

/// `whoami` tells the user, and `back` what its caller answers.
async fn rust_server(secured: Secured) -> (Server, String) {
    let options = Options::server(SERVICE);
    let options = match secured {
        Secured::Plain => {
            options.plain_server(Authenticator::passwords([(USERNAME, Secret::new(PASSWORD))]))
        }
        Secured::Curve => options.curve_server(
            [server_pair()],
            Authenticator::keys([(*client_pair().public(), USERNAME)]),
        ),
    };
    let server = Server::with(options).expect("a runtime is there");
    serve(&server);
    let whoami = |request: pseud::Request| Ok::<_, Fault>(request.user().to_string());
    server.register_sync("whoami", whoami).expect("a free name");
    let back = |request: pseud::Request| async move {
        let told: Result<String, _> = request.caller().call("hello", ("back",)).await;
        told.map_err(|error| Fault::new("RuntimeError", error.to_string()))
    };
    server.register("back", back).expect("a free name");
    let endpoint = server.bind("tcp://127.0.0.1:0").await.expect("loopback has a port");
    (server, endpoint)
}

fn rust_client(secured: Secured, is_known: bool, endpoint: &str) -> Client {
    let options = Options::client(SERVICE);
    let options = match secured {
        Secured::Plain => options.plain_client(USERNAME, Secret::new(password(is_known))),
        Secured::Curve => options.curve_client(pair(is_known), [*server_pair().public()]),
    };
    let client = Client::with(options).expect("a runtime is there");
    serve(&client);
    client.connect(endpoint).expect("Python's endpoints are well-formed");
    client
}

async fn python_server(python: &PythonPeer, secured: Secured) -> String {
    let (security, known) = match secured {
        Secured::Plain => {
            (json!({"security_plugin": "plain"}), json!([[USERNAME, PASSWORD, USERNAME]]))
        }
        Secured::Curve => (
            json!({
                "security_plugin": "trusted_curve",
                "secret_key": *server_pair().secret().to_z85(),
            }),
            json!([[bytes(client_pair().public().as_bytes()), USERNAME]]),
        ),
    };
    let fields = json!({
        "name": "server", "user_id": SERVICE, "endpoint": "tcp://127.0.0.1:*",
        "security": security, "known": known,
    });
    let bound = python.ask("server", fields).await;
    bound["endpoint"].as_str().expect("a bound server says where").to_owned()
}

async fn python_client(
    python: &PythonPeer,
    secured: Secured,
    name: &str,
    is_known: bool,
    endpoint: &str,
) {
    let security = match secured {
        Secured::Plain => json!({
            "security_plugin": "plain", "user_id": USERNAME, "password": password(is_known),
        }),
        Secured::Curve => json!({
            "security_plugin": "trusted_curve",
            "peer_public_key": server_pair().public().to_string(),
            "public_key": pair(is_known).public().to_string(),
            "secret_key": *pair(is_known).secret().to_z85(),
        }),
    };
    let fields = json!({
        "name": name, "peer_id": SERVICE, "endpoint": endpoint, "timeout": if is_known { 5.0 } else { 0.5 },
        "security": security, "monitor": true,
    });
    python.ask("client", fields).await;
}

fn password(is_known: bool) -> &'static str {
    if is_known { PASSWORD } else { "something else" }
}

fn pair(is_known: bool) -> KeyPair {
    if is_known { client_pair() } else { KeyPair::generate([0xba; 32]) }
}

async fn shaken(python: &PythonPeer, name: &str, event: &str) {
    python.ask("events", json!({"name": name, "event": event})).await;
}

async fn call(python: &PythonPeer, name: &str, method: &str) -> Value {
    python.ask("call", json!({"name": name, "method": method})).await
}

/// Waits until a link was refused: none may come in.
async fn refused(events: &mut pseud::Events) {
    loop {
        match events.next().await {
            Some(ConnectionEvent::Refused { .. }) => return,
            Some(ConnectionEvent::Ready { .. }) | None => panic!("it was not refused"),
            Some(_) => {}
        }
    }
}
