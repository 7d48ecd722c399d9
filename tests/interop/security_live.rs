//! Calls both ways over PLAIN and CURVE, Python with plug-ins of its own (`plugins.py`).

use std::time::Duration;

use pseud::proto::{Incompatible, Insecure, PeerError};
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
    python_calls_rust(Secured::Plain, Shown::Unknown).await;
}

#[tokio::test]
async fn python_calls_rust_and_is_called_back_over_curve() {
    python_calls_rust(Secured::Curve, Shown::Unknown).await;
}

#[tokio::test]
async fn python_that_believes_in_another_server_is_left_alone_and_others_call_on() {
    python_calls_rust(Secured::Curve, Shown::AnotherServer).await;
}

#[tokio::test]
async fn rust_calls_python_and_is_called_back_over_plain() {
    rust_calls_python(Secured::Plain, Shown::Unknown).await;
}

#[tokio::test]
async fn rust_calls_python_and_is_called_back_over_curve() {
    rust_calls_python(Secured::Curve, Shown::Unknown).await;
}

#[tokio::test]
async fn rust_that_believes_in_another_server_is_left_alone_and_others_call_on() {
    rust_calls_python(Secured::Curve, Shown::AnotherServer).await;
}

/// An answer that no frame may have: under PLAIN its call ends alone; under CURVE the frame's tag would
/// be unread, so the link ends, and all its calls hear why.
#[tokio::test]
async fn a_python_result_over_the_limit_of_frames() {
    for secured in [Secured::Plain, Secured::Curve] {
        let Some(python) = PythonPeer::start() else { return };
        bounded(async {
            let endpoint = python_server(&python, secured).await;
            let client = rust_client(secured, Shown::Known, &endpoint);
            client.ready().await;
            let mut events = client.events();
            // Python's reader serves one call at a time: the other waits behind it.
            let big = client.call::<pseud::Value, _>("big", (20_000_000,));
            let other = client.call::<f64, _>("sleep", (0.1,));
            let (big, other) = tokio::join!(big, other);
            match secured {
                Secured::Plain => {
                    assert!(matches!(big, Err(CallError::Executed(Reason::TooLarge))), "{big:?}");
                    assert_eq!(other.expect("it is well"), 0.1);
                    assert_eq!(client.stats().sessions, 1);
                }
                Secured::Curve => {
                    let reasons = [big.err(), other.err()].map(|error| error?.reason());
                    let Some(ConnectionEvent::Disconnected { reason, .. }) = events.next().await
                    else {
                        panic!("the link lives")
                    };
                    let too_large = PeerError::TooLarge { what: "", size: 0, max: 0 };
                    let Reason::PeerFault(error) = reason else { panic!("{reason}") };
                    let same = std::mem::discriminant(&error) == std::mem::discriminant(&too_large);
                    assert!(same && reasons == [Some(reason); 2], "{reasons:?}");
                }
            }
            client.ready().await;
            let hello: String = client.call("hello", ("again",)).await.expect("it is well");
            assert_eq!(hello, "Hello again");
        })
        .await;
    }
}

/// A known client calls, then somebody who shows that comes, then the known one calls again.
async fn python_calls_rust(secured: Secured, shown: Shown) {
    let Some(python) = PythonPeer::start() else { return };
    bounded(async {
        let (server, endpoint) = rust_server(secured).await;
        python_client(&python, secured, "client", Shown::Known, &endpoint).await;
        shaken(&python, "client", "HANDSHAKE_SUCCEEDED").await;
        assert_eq!(call(&python, "client", "whoami").await["result"], USERNAME);
        assert_eq!(call(&python, "client", "back").await["result"], "Hello back");

        let mut events = server.events();
        python_client(&python, secured, "stranger", shown, &endpoint).await;
        let (error, event) = match shown {
            // Whoever cannot open our box is not told: libzmq knows no detail.
            Shown::AnotherServer => (Insecure::Box.into(), "HANDSHAKE_FAILED_NO_DETAIL"),
            _ => (PeerError::Denied(400), "HANDSHAKE_FAILED_AUTH"),
        };
        shaken(&python, "stranger", event).await;
        assert_eq!(refused(&mut events).await, error);
        let unheard = call(&python, "stranger", "whoami").await;
        assert_eq!(unheard["error"]["class"], "TimeoutError", "{unheard}");
        let hello = python.ask("hello", json!({"name": "client"})).await;
        assert_eq!(hello["result"], "Hello again");
        assert_eq!((server.stats().sessions, server.stats().requests_served), (1, 3));
    })
    .await;
}

/// The same, the other way round.
async fn rust_calls_python(secured: Secured, shown: Shown) {
    let Some(python) = PythonPeer::start() else { return };
    bounded(async {
        let endpoint = python_server(&python, secured).await;
        let client = rust_client(secured, Shown::Known, &endpoint);
        client.ready().await;
        let hello: String = client.call("hello", ("Charly",)).await.expect("it knows us");
        assert_eq!(hello, "Hello Charly");
        // By the user id that the admission gave us: we announced no identity.
        let back = python.ask("hello", json!({"name": "server", "to": USERNAME})).await;
        assert_eq!(back["result"], "Hello again", "{back}");

        let stranger = rust_client(secured, shown, &endpoint);
        let mut events = stranger.events();
        let error = match shown {
            Shown::AnotherServer => Insecure::HelloRefused.into(),
            _ => Incompatible::Refused(400).into(),
        };
        assert_eq!(refused(&mut events).await, error);
        let unheard = stranger.call::<String, _>("hello", ("Charly",));
        let unheard = unheard.timeout(Duration::from_millis(300)).await;
        let Err(CallError::NotExecuted(reason)) = unheard else { panic!("{unheard:?}") };
        assert_eq!(reason, Reason::from(error));
        let hello: String = client.call("hello", ("again",)).await.expect("it is well");
        assert_eq!(hello, "Hello again");
        let calls = python.ask("calls", json!({"name": "server"})).await;
        assert_eq!(calls.as_array().map(Vec::len), Some(2), "{calls}");
    })
    .await;
}

/// `whoami` tells the user, and `back` what its caller answers.
pub(crate) async fn rust_server(secured: Secured) -> (Server, String) {
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
    let server = Server::with_options(options).expect("a runtime is there");
    serve(server.node());
    let whoami = |request: pseud::Request| Ok::<_, Fault>(request.user().to_string());
    server.register_sync("whoami", whoami).expect("a free name");
    let back = |request: pseud::Request| async move {
        let told: Result<String, _> = request.caller().call("hello", ("back",)).await;
        told.map_err(|error| Fault::new("RuntimeError", error.to_string()))
    };
    server.register("back", back).expect("a free name");
    let endpoint = server.bind("tcp://127.0.0.1:0").await.expect("loopback has a port");
    (server, endpoint.into())
}

pub(crate) fn rust_client(secured: Secured, shown: Shown, endpoint: &str) -> Client {
    let options = Options::client(SERVICE);
    let options = match secured {
        Secured::Plain => options.plain_client(USERNAME, Secret::new(shown.password())),
        Secured::Curve => options.curve_client(shown.pair(), [*shown.server().public()]),
    };
    let client = Client::with_options(options).expect("a runtime is there");
    serve(client.node());
    client.connect(endpoint).expect("Python's endpoints are well-formed");
    client
}

pub(crate) async fn python_server(python: &PythonPeer, secured: Secured) -> String {
    python_server_with(python, secured, json!({})).await
}

/// The same; `options` are its socket's.
pub(crate) async fn python_server_with(
    python: &PythonPeer,
    secured: Secured,
    options: Value,
) -> String {
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
        "security": security, "known": known, "options": options,
    });
    let bound = python.ask("server", fields).await;
    bound["endpoint"].as_str().expect("a bound server says where").to_owned()
}

pub(crate) async fn python_client(
    python: &PythonPeer,
    secured: Secured,
    name: &str,
    shown: Shown,
    endpoint: &str,
) {
    let timeout = if shown == Shown::Known { 5.0 } else { 0.5 };
    python_client_with(python, secured, name, shown, endpoint, timeout, json!({})).await;
}

/// The same; its calls wait for so many seconds, `options` are its socket's.
pub(crate) async fn python_client_with(
    python: &PythonPeer,
    secured: Secured,
    name: &str,
    shown: Shown,
    endpoint: &str,
    timeout: f64,
    options: Value,
) {
    let security = match secured {
        Secured::Plain => json!({
            "security_plugin": "plain", "user_id": USERNAME, "password": shown.password(),
        }),
        Secured::Curve => json!({
            "security_plugin": "trusted_curve",
            "peer_public_key": shown.server().public().to_string(),
            "public_key": shown.pair().public().to_string(),
            "secret_key": *shown.pair().secret().to_z85(),
        }),
    };
    let fields = json!({
        "name": name, "peer_id": SERVICE, "endpoint": endpoint, "timeout": timeout,
        "security": security, "monitor": true, "options": options,
    });
    python.ask("client", fields).await;
}

/// What a client shows, or believes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// All is right.
    Known,
    /// A password or a key of nobody.
    Unknown,
    /// Its own key is right, that of its server is another's.
    AnotherServer,
}

impl Shown {
    fn password(self) -> &'static str {
        if self == Self::Unknown { "something else" } else { PASSWORD }
    }

    fn pair(self) -> KeyPair {
        if self == Self::Unknown { another_pair() } else { client_pair() }
    }

    fn server(self) -> KeyPair {
        if self == Self::AnotherServer { another_pair() } else { server_pair() }
    }
}

fn another_pair() -> KeyPair {
    KeyPair::generate([0xba; 32])
}

pub(crate) async fn shaken(python: &PythonPeer, name: &str, event: &str) {
    python.ask("events", json!({"name": name, "event": event})).await;
}

async fn call(python: &PythonPeer, name: &str, method: &str) -> Value {
    python.ask("call", json!({"name": name, "method": method})).await
}

/// Why the next link was refused: none may come in.
async fn refused(events: &mut pseud::Events) -> PeerError {
    loop {
        match events.next().await {
            Some(ConnectionEvent::HandshakeFailed { error, .. }) => return error,
            Some(ConnectionEvent::Connected { .. }) | None => panic!("it was not refused"),
            Some(_) => {}
        }
    }
}
