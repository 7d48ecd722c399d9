//! Logins within sessions: WORK, UNAUTHORIZED, HELLO, AUTHENTICATED, and that WORK again.

use pseud::{CallError, PresenceEvent, Reason};
use serde_json::json;

use super::{Plugin, Who, call, python_client, python_server, rust_client, rust_server, shaken};
use crate::live::{bounded, check_readers};
use crate::python::PythonPeer;
use crate::secured::USERNAME;

const PLUGIN: Plugin = Plugin::UntrustedCurve;

/// Both are challenged, and both say HELLO. (At the reference's server the second call times out.)
#[tokio::test]
async fn two_first_calls_of_a_python_client() {
    let Some(python) = PythonPeer::start() else { return };
    bounded(async {
        let (server, endpoint) = rust_server(PLUGIN).await;
        python_client(&python, ("client", PLUGIN, Who::Known), &endpoint, 5.0).await;
        shaken(&python, "client").await;
        let calls = json!([{"method": "whoami"}, {"method": "whoami"}]);
        let told = python.ask("call_many", json!({"name": "client", "calls": calls})).await;
        for told in told.as_array().expect("both ended") {
            assert_eq!(told["result"], USERNAME, "{told}");
        }
        let stats = server.stats();
        assert_eq!((stats.requests_challenged, stats.requests_served), (2, 2), "{stats:?}");
        check_readers(&python).await;
    })
    .await;
}

/// The key is trusted for that user: another link of it is its user's from the handshake on.
#[tokio::test]
async fn a_python_client_comes_again_without_a_hello() {
    let Some(python) = PythonPeer::start() else { return };
    bounded(async {
        let (server, endpoint) = rust_server(PLUGIN).await;
        for name in ["first", "second"] {
            python_client(&python, (name, PLUGIN, Who::Known), &endpoint, 5.0).await;
            shaken(&python, name).await;
            assert_eq!(call(&python, name, "whoami").await["result"], USERNAME);
            python.ask("stop", json!({"name": name})).await;
        }
        assert_eq!(server.stats().requests_challenged, 1);
    })
    .await;
}

#[tokio::test]
async fn a_python_client_that_has_logged_in_is_called_by_its_user() {
    let Some(python) = PythonPeer::start() else { return };
    bounded(async {
        let (server, endpoint) = rust_server(PLUGIN).await;
        python_client(&python, ("client", PLUGIN, Who::Known), &endpoint, 5.0).await;
        shaken(&python, "client").await;
        assert_eq!(call(&python, "client", "whoami").await["result"], USERNAME);
        let sum: i64 = server.user(USERNAME).call("add", (2, 4)).await.expect("it has logged in");
        assert_eq!(sum, 6);
        check_readers(&python).await;
    })
    .await;
}

/// One HELLO for both, and each is sent once more.
#[tokio::test]
async fn many_first_calls_to_a_python_server() {
    let Some(python) = PythonPeer::start() else { return };
    bounded(async {
        let endpoint = python_server(&python, PLUGIN).await;
        let client = rust_client(PLUGIN, Who::Known, &endpoint);
        client.ready().await;
        let call = |n: i64| client.call::<i64, _>("add", (n, 1));
        let told = tokio::join!(call(1), call(2), call(3), call(4));
        let told = [told.0, told.1, told.2, told.3].map(|told| told.expect("we have logged in"));
        assert_eq!(told, [2, 3, 4, 5]);
        let calls = python.ask("calls", json!({"name": "server"})).await;
        assert_eq!(calls.as_array().map(Vec::len), Some(4), "each ran once: {calls}");
        let received = python.ask("received", json!({"name": "server"})).await;
        let hellos = received.as_array().expect("a list").iter();
        let hello = json!({"$bytes": "02"});
        assert_eq!(hellos.filter(|frames| frames[4] == hello).count(), 1, "{received}");
        let sent = json!({"name": "server", "to": USERNAME, "method": "add", "args": [2, 4]});
        assert_eq!(python.ask("send_to", sent).await["result"], 6);
        check_readers(&python).await;
    })
    .await;
}

/// Shown twice, as the reference does, and then all that wait for it are told that nothing ran.
#[tokio::test]
async fn a_wrong_password_at_a_python_server() {
    let Some(python) = PythonPeer::start() else { return };
    bounded(async {
        let endpoint = python_server(&python, PLUGIN).await;
        let client = rust_client(PLUGIN, Who::Unknown, &endpoint);
        client.ready().await;
        let call = || client.call::<String, _>("hello", ("x",));
        let (one, other) = tokio::join!(call(), call());
        for told in [one, other, call().await] {
            let unauthorized = CallError::NotExecuted(Reason::Unauthorized);
            assert_eq!(told.map_err(|error| error.to_string()), Err(unauthorized.to_string()));
        }
        let received = python.ask("received", json!({"name": "server"})).await;
        let hellos = received.as_array().expect("a list").iter();
        let hello = json!({"$bytes": "02"});
        assert_eq!(hellos.filter(|frames| frames[4] == hello).count(), 2, "{received}");
        check_readers(&python).await;
    })
    .await;
}

/// It is called by its user though it never called: it shows early who it is.
#[tokio::test]
async fn a_rust_client_that_only_waits_is_called_by_its_user() {
    bounded(async {
        let (server, endpoint) = rust_server(PLUGIN).await;
        let (mut events, mut presence) = (server.events(), server.presence());
        let client = rust_client(PLUGIN, Who::Known, &endpoint);
        client.ready().await;
        while server.sessions(USERNAME).is_empty() {
            events.next().await.expect("the server lives");
        }
        // Whoever watches who is there is told of it as that user.
        loop {
            let told = presence.next().await.expect("the server lives");
            if let PresenceEvent::Joined { info, .. } = told
                && info.user.id() == USERNAME
            {
                break;
            }
        }
        let sum: i64 = server.user(USERNAME).call("add", (2, 4)).await.expect("it has logged in");
        assert_eq!((sum, server.stats().requests_challenged), (6, 0));
    })
    .await;
}
