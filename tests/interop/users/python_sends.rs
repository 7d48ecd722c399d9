//! A Python server calls its Rust clients: `send_to(user).name(…)`.

use pseud::{Fault, Options, Registry, User};
use serde_json::{Value, json};

use super::{USERS, logged_in, password, rust_client};
use crate::live::{SERVICE, bounded, check_readers};
use crate::python::{Pending, PythonPeer};
use crate::talk::{bytes, error};

/// A Python server called `server`, of those users, and where it is.
struct Room {
    python: PythonPeer,
    endpoint: String,
}

impl Room {
    /// Has that conversation with a server whose calls wait for `seconds`.
    async fn hold(security: Option<&str>, seconds: f64, talk: impl AsyncFnOnce(&Self)) {
        let Some(python) = PythonPeer::start() else { return };
        let known = USERS.map(|user| [user.to_owned(), password(user), user.to_owned()]);
        let fields = json!({
            "name": "server", "user_id": SERVICE, "endpoint": "tcp://127.0.0.1:*",
            "timeout": seconds, "security": security.map(|name| json!({"security_plugin": name})),
            "known": if security.is_some() { json!(known) } else { json!([]) },
        });
        bounded(async {
            let bound = python.ask("server", fields).await;
            let endpoint = bound["endpoint"].as_str().expect("a bound server says where");
            let room = Self { endpoint: endpoint.to_owned(), python };
            talk(&room).await;
            check_readers(&room.python).await;
        })
        .await;
    }

    async fn of_users(talk: impl AsyncFnOnce(&Self)) {
        Self::hold(Some("plain"), 5.0, talk).await;
    }

    /// That many messages have come: a v1 server knows a client from its probe on.
    async fn received(&self, count: usize) -> Value {
        self.python.ask("received", json!({"name": "server", "count": count})).await
    }

    fn send(&self, to: &str, method: &str, args: Value) -> Pending {
        let fields = json!({"name": "server", "to": to, "method": method, "args": args});
        self.python.send("send_to", fields)
    }

    async fn send_to(&self, to: &str, method: &str) -> Value {
        self.send(to, method, json!([])).done().await
    }
}

#[tokio::test]
async fn several_users_are_called_at_once() {
    Room::of_users(async |room| {
        let mut clients = Vec::new();
        for user in USERS {
            let client = rust_client(logged_in(user), user, &room.endpoint).await;
            let lower = |(text,): (String,), _| async move { Ok::<_, Fault>(text.to_lowercase()) };
            client.register_typed("string.lower", lower).expect("a fair name");
            clients.push(client);
        }
        room.received(USERS.len()).await;
        let calls =
            (0..20).flat_map(|_| USERS.map(|user| (user, room.send(user, "desk.who", json!([])))));
        for (user, told) in calls.collect::<Vec<_>>() {
            assert_eq!(told.done().await["result"], user);
        }
        for user in USERS {
            let scream = format!("SCREAM OF {user}");
            let lower = room.send(user, "string.lower", json!([scream])).done().await;
            assert_eq!(lower["result"], scream.to_lowercase());
        }
        for client in &clients {
            let stats = client.stats();
            assert_eq!((stats.requests_served, stats.calls_made), (21, 0), "{stats:?}");
        }
    })
    .await;
}

/// What clients announce does not count where an admission has named them.
#[tokio::test]
async fn a_user_is_not_found_by_the_routing_id_that_it_announces() {
    Room::of_users(async |room| {
        let options = logged_in("alice").identity("bob");
        let _alice = rust_client(options, "alice as bob", &room.endpoint).await;
        assert_eq!(room.received(1).await[0][0], bytes(b"bob"));
        assert_eq!(room.send_to("alice", "who").await["result"], "alice as bob");
        let bob = room.send_to("bob", "who").await;
        assert_eq!(bob["error"]["class"], "KeyError", "{bob}");
    })
    .await;
}

/// Under NULL nobody is named, and an id is an identity.
#[tokio::test]
async fn without_users_clients_are_called_by_their_routing_ids() {
    Room::hold(None, 5.0, async |room| {
        let mut clients = Vec::new();
        for desk in ["window", "door"] {
            let options = Options::client(SERVICE).identity(desk);
            clients.push(rust_client(options, desk, &room.endpoint).await);
        }
        room.received(2).await;
        let [window, door] = ["window", "door"].map(|desk| room.send(desk, "desk.who", json!([])));
        assert_eq!(door.done().await["result"], "door");
        assert_eq!(window.done().await["result"], "window");
    })
    .await;
}

/// The reference hears a user id with every message, and the last one counts. When that session
/// ends, the user is gone for it, though another session is there.
#[tokio::test]
async fn of_two_sessions_the_one_that_spoke_last_is_meant() {
    Room::hold(Some("plain"), 1.5, async |room| {
        let first = rust_client(logged_in("alice"), "first", &room.endpoint).await;
        room.received(1).await;
        let second = rust_client(logged_in("alice"), "second", &room.endpoint).await;
        room.received(2).await;
        assert_eq!(room.send_to("alice", "who").await["result"], "second");
        let _: String = first.call("hello", ("you",)).await.expect("it serves");
        assert_eq!(room.send_to("alice", "who").await["result"], "first");
        let _: String = second.call("hello", ("you",)).await.expect("it serves");
        second.shutdown();
        drop(second);
        let lost = room.send_to("alice", "who").await;
        assert_eq!(lost["error"]["class"], "TimeoutError", "{lost}");
        let _: String = first.call("hello", ("you",)).await.expect("it serves");
        assert_eq!(room.send_to("alice", "who").await["result"], "first");
    })
    .await;
}

/// An identity that the socket makes up is another one each time; the user stays.
#[tokio::test]
async fn a_user_that_comes_back_is_found_again() {
    Room::of_users(async |room| {
        let client = rust_client(logged_in("alice"), "alice", &room.endpoint).await;
        let before = room.received(1).await;
        client.disconnect(&room.endpoint).expect("it is connected there");
        client.connect(&room.endpoint).expect("the endpoint is well-formed");
        let after = room.received(2).await;
        assert_ne!(before[0][0], after[1][0], "its identity");
        assert_eq!(room.send_to("alice", "who").await["result"], "alice");
    })
    .await;
}

/// Clients have domains as servers have; whom they call has no user, so it may not what users may.
#[tokio::test]
async fn a_rust_client_keeps_what_is_restricted_from_its_python_server() {
    Room::of_users(async |room| {
        let client = rust_client(logged_in("alice"), "small power", &room.endpoint).await;
        let great = |_| Ok::<_, Fault>("great power");
        let restricted = client.domain("restricted");
        restricted.register_sync("who", great).expect("a fair name");
        restricted.register_sync("great", great).expect("a fair name");
        client.predicate("server", |caller| caller.user() == &User::default());
        let served = |_| Ok::<_, Fault>("for servers");
        client.domain("server").register_sync("served", served).expect("a fair name");
        room.received(1).await;
        assert_eq!(room.send_to("alice", "who").await["result"], "small power");
        assert_eq!(room.send_to("alice", "served").await["result"], "for servers");
        for name in ["great", "nothing"] {
            let missing = room.send_to("alice", name).await;
            assert_eq!(error(&missing), ("ServiceNotFoundError", name));
        }
    })
    .await;
}

/// One registry for all clients of a process, after each one's own.
#[tokio::test]
async fn rust_clients_serve_their_process_wide_registry() {
    Room::of_users(async |room| {
        let alice = rust_client(logged_in("alice"), "alice", &room.endpoint).await;
        let _bob = rust_client(logged_in("bob"), "bob", &room.endpoint).await;
        room.received(2).await;
        let name = "python_sends.everywhere";
        Registry::global().register_sync(name, |_| Ok::<_, Fault>("global")).expect("a fair name");
        assert_eq!(room.send_to("alice", name).await["result"], "global");
        alice.register_sync(name, |_| Ok::<_, Fault>("own")).expect("a fair name");
        assert_eq!(room.send_to("alice", name).await["result"], "own");
        assert_eq!(room.send_to("bob", name).await["result"], "global");
    })
    .await;
}
