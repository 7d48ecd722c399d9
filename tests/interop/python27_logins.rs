//! Logins of pseud 0.0.5 on Python 2.7, where there is one: its own `untrusted_curve`, which is in its package.

use std::time::Duration;

use pseud::{
    AuthBackends, CallError, Client, Fault, Options, Reason, Role, Secret, Security, Server,
};
use serde_json::{Value as Json, json};
use tokio::time::timeout;

use crate::python::PythonPeer;
use crate::secured::{PASSWORD, USERNAME, client_pair, server_pair};
use crate::talk::error;

/// Time one conversation may take.
const CONVERSATION_TIMEOUT: Duration = Duration::from_secs(60);

async fn bounded(conversation: impl Future<Output = ()>) {
    timeout(CONVERSATION_TIMEOUT, conversation).await.expect("the conversation ends");
}

fn server() -> Server {
    let users = vec![(USERNAME.into(), Secret::new(PASSWORD))];
    let security = Security { key_pair: Some(server_pair()), users, ..Security::default() };
    let options = Options::server("service");
    let options =
        AuthBackends::default().configure(Role::Server, "untrusted_curve", security, options);
    let server = Server::with_options(options.expect("it is ready-made")).expect("a runtime");
    let hello = |request: pseud::Request| {
        let (name,): (String,) = request.args()?;
        Ok::<_, Fault>(format!("Hello {name}, {}", request.user()))
    };
    server.register_sync("hello", hello).expect("a free name");
    server
}

/// 0.0.5's server hangs at a probe until something else happens, so this does not probe.
fn client(password: &str, endpoint: &str) -> Client {
    let security = Security {
        user_id: USERNAME.into(),
        password: Secret::new(password),
        key_pair: Some(client_pair()),
        peer_public_key: Some(*server_pair().public()),
        ..Security::default()
    };
    let options = Options::client("service").identity("rust").probe(false);
    let options =
        AuthBackends::default().configure(Role::Client, "untrusted_curve", security, options);
    let client = Client::with_options(options.expect("it is ready-made")).expect("a runtime");
    let hello = |request: pseud::Request| {
        let (name,): (String,) = request.args()?;
        Ok::<_, Fault>(format!("Hello {name}"))
    };
    client.register_sync("hello", hello).expect("a free name");
    client.connect(endpoint).expect("endpoints are well-formed");
    client
}

async fn hello(python: &PythonPeer, name: &str) -> Json {
    python.ask("call", json!({"name": name, "method": "hello", "args": ["Charly"]})).await
}

#[tokio::test]
async fn a_python_2_client_logs_in() {
    let Some(python) = PythonPeer::start_27() else { return };
    bounded(async {
        let server = server();
        let endpoint = server.bind("tcp://127.0.0.1:0").await.expect("loopback has a port");
        let pair = client_pair();
        for (name, password) in [("wrong", "something else"), ("right", PASSWORD)] {
            let security = json!({
                "security_plugin": "untrusted_curve", "login": USERNAME, "password": password,
                "peer_public_key": server_pair().public().to_string(),
                "public_key": pair.public().to_string(), "secret_key": *pair.secret().to_z85(),
            });
            let fields = json!({
                "name": name, "peer_id": "service", "endpoint": endpoint, "identity": name,
                "security": security,
            });
            python.ask("client", fields).await;
        }
        let refused = hello(&python, "wrong").await;
        assert_eq!(error(&refused).0, "UnauthorizedError", "{refused}");
        for _ in 0..2 {
            let greeted = hello(&python, "right").await;
            assert_eq!(greeted["result"], format!("Hello Charly, {USERNAME}"), "{greeted}");
        }
        let back: String = server.send_to(USERNAME).call("hello", ("Rust",)).await.expect("py2");
        assert_eq!(back, "Hello Rust");
        assert_eq!(server.stats().requests_served, 2);
    })
    .await;
}

#[tokio::test]
async fn a_rust_client_logs_in_at_a_python_2_server() {
    let Some(python) = PythonPeer::start_27() else { return };
    bounded(async {
        let pair = server_pair();
        let security = json!({
            "security_plugin": "untrusted_curve", "public_key": pair.public().to_string(),
            "secret_key": *pair.secret().to_z85(),
        });
        let fields = json!({
            "name": "server", "user_id": "service", "endpoint": "tcp://127.0.0.1:*",
            "security": security, "users": {USERNAME: PASSWORD},
        });
        let bound = python.ask("server", fields).await;
        let endpoint = bound["endpoint"].as_str().expect("a bound server says where");
        let wrong = client("something else", endpoint);
        let refused = wrong.call::<String, _>("hello", ("Charly",)).await;
        let unauthorized = CallError::NotExecuted(Reason::Unauthorized).to_string();
        assert_eq!(refused.map_err(|error| error.to_string()), Err(unauthorized));
        wrong.shutdown();
        let right = client(PASSWORD, endpoint);
        for _ in 0..2 {
            let greeted: String = right.call("hello", ("Charly",)).await.expect("it knows us");
            assert_eq!(greeted, "Hello Charly");
        }
        let sent = json!({"name": "server", "to": USERNAME, "method": "hello", "args": ["py2"]});
        let sent = python.ask("call", sent).await;
        assert_eq!(sent["result"], "Hello py2", "{sent}");
    })
    .await;
}
