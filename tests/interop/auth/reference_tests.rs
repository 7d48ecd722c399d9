//! What Python pseud's own tests of `untrusted_curve` and `trusted_peer` do, of our server and our client:
//! several calls after one login, `send_to` by user, a client that disconnects and connects again.

use serde_json::json;

use super::{Plugin, Who, call, python_client, python_server, rust_client, rust_server, shaken};
use crate::live::{bounded, check_readers, until};
use crate::python::PythonPeer;
use crate::secured::USERNAME;

/// Two calls, and one back.
async fn python_is_served(python: &PythonPeer, server: &pseud::Server) {
    for _ in 0..2 {
        assert_eq!(call(python, "client", "whoami").await["result"], USERNAME);
    }
    let sum: i64 = server.send_to(USERNAME).call("add", (2, 4)).await.expect("it is there");
    assert_eq!(sum, 6);
}

async fn python_comes_again(plugin: Plugin) {
    let Some(python) = PythonPeer::start() else { return };
    bounded(async {
        let (server, endpoint) = rust_server(plugin).await;
        python_client(&python, ("client", plugin, Who::Known), &endpoint, 5.0).await;
        shaken(&python, "client").await;
        python_is_served(&python, &server).await;
        let challenged = server.stats().requests_challenged;
        python.ask("disconnect", json!({"name": "client", "endpoint": endpoint})).await;
        until("it has left", || server.sessions(USERNAME).is_empty()).await;
        python.ask("connect_again", json!({"name": "client", "endpoint": endpoint})).await;
        until("it is back", || !server.sessions(USERNAME).is_empty()).await;
        python_is_served(&python, &server).await;
        // Its key is its user's by then: it logs in no more.
        assert_eq!(server.stats().requests_challenged, challenged);
        check_readers(&python).await;
    })
    .await;
}

async fn rust_comes_again(plugin: Plugin) {
    let Some(python) = PythonPeer::start() else { return };
    bounded(async {
        let endpoint = python_server(&python, plugin).await;
        let client = rust_client(plugin, Who::Known, &endpoint);
        for _ in 0..2 {
            for _ in 0..2 {
                let hello: String = client.call("hello", ("x",)).await.expect("it knows us");
                assert_eq!(hello, "Hello x");
            }
            let sent = json!({"name": "server", "to": USERNAME, "method": "add", "args": [2, 4]});
            assert_eq!(python.ask("send_to", sent).await["result"], 6);
            client.disconnect(&endpoint).expect("it is connected there");
            client.connect(&endpoint).expect("endpoints are well-formed");
        }
        check_readers(&python).await;
    })
    .await;
}

async fn both_are_ours(plugin: Plugin) {
    bounded(async {
        let (server, endpoint) = rust_server(plugin).await;
        let client = rust_client(plugin, Who::Known, &endpoint);
        for _ in 0..2 {
            let whoami: String = client.call("whoami", ()).await.expect("it knows us");
            assert_eq!(whoami, USERNAME);
            let sum: i64 = server.send_to(USERNAME).call("add", (2, 4)).await.expect("it is there");
            assert_eq!(sum, 6);
            client.disconnect(&endpoint).expect("it is connected there");
            until("it has left", || server.sessions(USERNAME).is_empty()).await;
            client.connect(&endpoint).expect("endpoints are well-formed");
        }
    })
    .await;
}

macro_rules! comes_again {
    ($($name:ident: $plugin:ident,)*) => {$(
        mod $name {
            use super::Plugin;

            #[tokio::test]
            async fn python_calls_rust() {
                super::python_comes_again(Plugin::$plugin).await;
            }

            #[tokio::test]
            async fn rust_calls_python() {
                super::rust_comes_again(Plugin::$plugin).await;
            }

            #[tokio::test]
            async fn rust_calls_rust() {
                super::both_are_ours(Plugin::$plugin).await;
            }
        }
    )*};
}

comes_again! {
    plain: Plain,
    trusted_peer: TrustedPeer,
    trusted_curve: TrustedCurve,
    untrusted_curve: UntrustedCurve,
}
