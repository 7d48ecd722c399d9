//! The accepted path of the matrix on the other drivers: smol, plain threads, and those over libzmq. Their
//! nodes are one and the same; what differs is who drives them.

use pseud::{Fault, Node};
use pseud_blocking::Wait;
use serde_json::json;

use super::{Plugin, Who};
use crate::live::SERVICE;
use crate::python::PythonPeer;
use crate::secured::USERNAME;

const ALL: [Plugin; 5] = [
    Plugin::Noop,
    Plugin::Plain,
    Plugin::TrustedPeer,
    Plugin::TrustedCurve,
    Plugin::UntrustedCurve,
];

fn user(plugin: Plugin) -> &'static str {
    if plugin == Plugin::Noop { "" } else { USERNAME }
}

/// `whoami` tells the user.
fn serve(node: &Node) {
    let whoami = |request: pseud::Request| Ok::<_, Fault>(request.user().to_string());
    node.registry().register_sync("whoami", whoami).expect("a free name");
}

/// A Python client that the server there knows.
fn python_calls(python: &PythonPeer, plugin: Plugin, endpoint: &str) {
    let name = format!("{plugin:?}");
    let fields = json!({
        "name": name, "peer_id": SERVICE, "endpoint": endpoint, "timeout": 10.0,
        "security": plugin.client_security(Who::Known), "monitor": true,
    });
    python.request("client", fields);
    python.request("events", json!({"name": name, "event": "HANDSHAKE_SUCCEEDED"}));
    let called = python.request("call", json!({"name": name, "method": "whoami"}));
    assert_eq!(called["result"], user(plugin), "{plugin:?}: {called}");
    python.request("stop", json!({"name": name}));
}

fn python_serves(python: &PythonPeer, plugin: Plugin) -> String {
    let (security, known) = plugin.server_security();
    let fields = json!({
        "name": "server", "user_id": SERVICE, "endpoint": "tcp://127.0.0.1:*",
        "security": security, "known": known,
    });
    let bound = python.request("server", fields);
    bound["endpoint"].as_str().expect("a bound server says where").to_owned()
}

/// One Python process for each plug-in: libzmq has one ZAP handler a context.
fn each(plugins: impl IntoIterator<Item = Plugin>, check: impl Fn(&PythonPeer, Plugin)) {
    for plugin in plugins {
        let Some(python) = PythonPeer::start() else { return };
        check(&python, plugin);
        let readers = python.request("alive", json!({}));
        for (name, reader) in readers.as_object().expect("one entry a peer") {
            assert_eq!(reader["reader"], "running", "{plugin:?} {name}: {reader}");
        }
    }
}

fn hello(node: &Node) -> String {
    node.call("hello", ("Charly",)).wait().expect("it knows us")
}

fn whoami(node: &Node) -> String {
    node.call("whoami", ()).wait().expect("it knows us")
}

#[test]
fn on_plain_threads() {
    use pseud_blocking::{Client, Server};
    each(ALL, |python, plugin| {
        let server = Server::with_options(plugin.server_options()).expect("threads can be had");
        serve(server.node());
        let endpoint = server.bind("tcp://127.0.0.1:0").expect("loopback has a port");
        python_calls(python, plugin, &endpoint);
        for (endpoint, is_ours) in
            [(String::from(endpoint), true), (python_serves(python, plugin), false)]
        {
            let client = Client::with_options(plugin.client_options(Who::Known));
            let client = client.expect("threads can be had");
            client.connect(&endpoint).expect("endpoints are well-formed");
            match is_ours {
                true => assert_eq!(whoami(client.node()), user(plugin), "{plugin:?}"),
                false => assert_eq!(hello(client.node()), "Hello Charly", "{plugin:?}"),
            }
        }
    });
}

#[test]
fn under_smol() {
    use pseud_asyncstd::{Client, Server};
    each(ALL, |python, plugin| {
        smol::block_on(async {
            let server = Server::with_options(plugin.server_options()).expect("it has a thread");
            serve(server.node());
            let endpoint = server.bind("tcp://127.0.0.1:0").await.expect("loopback has a port");
            python_calls(python, plugin, &endpoint);
            for (endpoint, is_ours) in
                [(String::from(endpoint), true), (python_serves(python, plugin), false)]
            {
                let client = Client::with_options(plugin.client_options(Who::Known));
                let client = client.expect("it has a thread");
                client.connect(&endpoint).expect("endpoints are well-formed");
                let (method, expected) =
                    if is_ours { ("whoami", user(plugin)) } else { ("hello", "Hello Charly") };
                let answer = match is_ours {
                    true => client.call::<String, _>(method, ()).await,
                    false => client.call::<String, _>(method, ("Charly",)).await,
                };
                assert_eq!(answer.expect("it knows us"), expected, "{plugin:?}");
            }
        });
    });
}

/// Under CURVE where libzmq has it; the vendored one has none, which is an error when a node is made.
#[cfg(feature = "zmq")]
#[test]
fn over_libzmq() {
    use crate::python::not_run;
    use pseud_blocking::zmq::{Client, Context, Server};
    let is_curve = |plugin| matches!(plugin, Plugin::TrustedCurve | Plugin::UntrustedCurve);
    let (curve, others): (Vec<_>, Vec<_>) = ALL.into_iter().partition(|plugin| is_curve(*plugin));
    let has_curve = curve
        .iter()
        .all(|plugin| Server::with_options(plugin.server_options(), Context::new()).is_ok());
    if !has_curve {
        let _ = not_run("trusted_curve, untrusted_curve: this libzmq has no CURVE");
    }
    each(others.into_iter().chain(curve.into_iter().filter(|_| has_curve)), |python, plugin| {
        let server = Server::with_options(plugin.server_options(), Context::new());
        let server = server.expect("libzmq can be had");
        serve(server.node());
        let endpoint = server.bind("tcp://127.0.0.1:*").expect("loopback has a port");
        python_calls(python, plugin, &endpoint);
        for (endpoint, is_ours) in
            [(String::from(endpoint), true), (python_serves(python, plugin), false)]
        {
            let options = plugin.client_options(Who::Known);
            let client = Client::with_options(options, Context::new()).expect("libzmq can be had");
            client.connect(&endpoint).expect("endpoints are well-formed");
            match is_ours {
                true => assert_eq!(whoami(client.node()), user(plugin), "{plugin:?}"),
                false => assert_eq!(hello(client.node()), "Hello Charly", "{plugin:?}"),
            }
        }
    });
}
