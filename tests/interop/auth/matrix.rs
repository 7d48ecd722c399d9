//! Each plug-in on each side: who is known is served, who is not is not.

use std::time::Duration;

use pseud::{CallError, ConnectionEvent, Reason};
use serde_json::json;

use super::{Plugin, Who, call, python_client, python_server, rust_client, rust_server, shaken};
use crate::live::{bounded, check_readers};
use crate::python::PythonPeer;
use crate::secured::USERNAME;

/// Who a server says its caller is.
fn user(plugin: Plugin) -> &'static str {
    if plugin == Plugin::Noop { "" } else { USERNAME }
}

async fn python_calls_rust(plugin: Plugin) {
    let Some(python) = PythonPeer::start() else { return };
    bounded(async {
        let (server, endpoint) = rust_server(plugin).await;
        python_client(&python, ("known", plugin, Who::Known), &endpoint, 5.0).await;
        shaken(&python, "known").await;
        assert_eq!(call(&python, "known", "whoami").await["result"], user(plugin));
        python_client(&python, ("unknown", plugin, Who::Unknown), &endpoint, 0.5).await;
        let refused = call(&python, "unknown", "whoami").await;
        let class = match plugin {
            // It is told so: its HELLOs are refused.
            Plugin::UntrustedCurve => "UnauthorizedError",
            _ => "TimeoutError",
        };
        assert_eq!(refused["error"]["class"], class, "{refused}");
        let hello = python.ask("hello", json!({"name": "known"})).await;
        assert_eq!(hello["result"], "Hello again", "{hello}");
        assert_eq!(server.stats().requests_served, 2);
        check_readers(&python).await;
    })
    .await;
}

async fn rust_calls_python(plugin: Plugin) {
    let Some(python) = PythonPeer::start() else { return };
    bounded(async {
        let endpoint = python_server(&python, plugin).await;
        let known = rust_client(plugin, Who::Known, &endpoint);
        let hello: String = known.call("hello", ("Charly",)).await.expect("it knows us");
        assert_eq!(hello, "Hello Charly");
        refused(plugin, &endpoint).await;
        let hello: String = known.call("hello", ("again",)).await.expect("it is well");
        assert_eq!(hello, "Hello again");
        let calls = python.ask("calls", json!({"name": "server"})).await;
        assert_eq!(calls.as_array().map(Vec::len), Some(2), "{calls}");
        check_readers(&python).await;
    })
    .await;
}

async fn rust_calls_rust(plugin: Plugin) {
    bounded(async {
        let (server, endpoint) = rust_server(plugin).await;
        let known = rust_client(plugin, Who::Known, &endpoint);
        let whoami: String = known.call("whoami", ()).await.expect("it knows us");
        assert_eq!(whoami, user(plugin));
        refused(plugin, &endpoint).await;
        assert_eq!(server.stats().requests_served, 1);
    })
    .await;
}

/// A client that is not let in has nothing run, and knows that.
async fn refused(plugin: Plugin, endpoint: &str) {
    let unknown = rust_client(plugin, Who::Unknown, endpoint);
    let mut events = unknown.events();
    let unheard = unknown.call::<String, _>("hello", ("Charly",));
    let unheard = unheard.timeout(Duration::from_secs(2)).await;
    // Not that nobody has answered in time.
    let Err(CallError::NotExecuted(why)) = unheard else { panic!("{plugin:?}: {unheard:?}") };
    let is_refusal = match why {
        Reason::Denied | Reason::Unauthorized | Reason::PeerFault(_) => true,
        // Of another mechanism than ours libzmq may hang up before it has said its own: it has hung up.
        Reason::NotConnected if matches!(plugin, Plugin::TrustedPeer) => loop {
            match events.next().await.expect("it goes on trying") {
                ConnectionEvent::HandshakeFailed { .. } => break true,
                event => eprintln!("{event:?}"),
            }
        },
        _ => false,
    };
    assert!(is_refusal, "{plugin:?}: {why:?}");
}

macro_rules! matrix {
    ($($name:ident: $plugin:ident,)*) => {$(
        mod $name {
            use super::Plugin;

            #[tokio::test]
            async fn python_calls_rust() {
                super::python_calls_rust(Plugin::$plugin).await;
            }

            #[tokio::test]
            async fn rust_calls_python() {
                super::rust_calls_python(Plugin::$plugin).await;
            }

            #[tokio::test]
            async fn rust_calls_rust() {
                super::rust_calls_rust(Plugin::$plugin).await;
            }
        }
    )*};
}

matrix! {
    noop: Noop,
    plain: Plain,
    trusted_peer: TrustedPeer,
    trusted_curve: TrustedCurve,
    untrusted_curve: UntrustedCurve,
}
