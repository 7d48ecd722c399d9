//! A Rust server calls its Python clients: by user, by identity, one session or all of them.

use pseud::proto::CallRefused;
use pseud::{Authenticator, CallError, Options, Peer, Reason, Secret, Server};
use serde_json::{Value, json};

use super::{USERS, password};
use crate::live::{SERVICE, bounded, check_readers, until};
use crate::python::PythonPeer;

/// A Rust server, and a Python process for its clients.
struct Room {
    python: PythonPeer,
    server: Server,
    endpoint: String,
}

impl Room {
    async fn hold(options: Options, talk: impl AsyncFnOnce(&Self)) {
        let Some(python) = PythonPeer::start() else { return };
        let server = Server::with_options(options).expect("a runtime is there");
        let endpoint: String =
            server.bind("tcp://127.0.0.1:0").await.expect("loopback has a port").into();
        let room = Self { python, server, endpoint };
        bounded(async {
            talk(&room).await;
            check_readers(&room.python).await;
            assert_eq!(room.server.stats().calls_pending, 0);
        })
        .await;
    }

    async fn of_users(talk: impl AsyncFnOnce(&Self)) {
        let users = USERS.map(|user| (user, Secret::new(password(user))));
        let options = Options::server(SERVICE).plain_server(Authenticator::passwords(users));
        Self::hold(options, talk).await;
    }

    async fn of_nobody(talk: impl AsyncFnOnce(&Self)) {
        Self::hold(Options::server(SERVICE), talk).await;
    }

    /// A Python client that says `says` as `who` and `desk.who`, and is called so in its process. Its
    /// session is the newest when this returns.
    async fn join(&self, user: Option<&str>, says: &str, options: Value) {
        let sessions = self.server.stats().sessions;
        let security = user.map(
            |user| json!({"security_plugin": "plain", "user_id": user, "password": password(user)}),
        );
        let fields = json!({
            "name": says, "peer_id": SERVICE, "endpoint": self.endpoint, "security": security,
            "options": options,
        });
        self.python.ask("client", fields).await;
        for method in ["who", "desk.who"] {
            let offered = json!({"registry": says, "method": method, "answer": says});
            self.python.ask("offer", offered).await;
        }
        until("a session", || self.server.stats().sessions > sessions).await;
    }

    async fn log_in(&self, user: &str, says: &str) {
        self.join(Some(user), says, json!({})).await;
    }
}

async fn who(peer: &Peer) -> Result<String, CallError> {
    peer.call("who", ()).await
}

#[track_caller]
fn assert_not_connected(told: Result<String, CallError>) {
    let not_connected = matches!(told, Err(CallError::NotExecuted(Reason::NotConnected)));
    assert!(not_connected, "{told:?}");
}

#[tokio::test]
async fn several_users_are_called_at_once() {
    Room::of_users(async |room| {
        for user in USERS {
            room.log_in(user, user).await;
        }
        let calls = (0..20).flat_map(|_| USERS).map(|user| {
            let peer = room.server.send_to(user);
            let call = async move { peer.call::<String, _>("desk.who", ()).await };
            (user, tokio::spawn(call))
        });
        for (user, call) in calls.collect::<Vec<_>>() {
            let told = call.await.expect("it does not panic");
            assert_eq!(told.expect("it serves"), user);
        }
        let [alice, bob, _] = USERS.map(|user| room.server.user(user));
        let (alice, bob) = tokio::join!(who(&alice), who(&bob));
        assert_eq!([alice.expect("it serves"), bob.expect("it serves")], ["alice", "bob"]);
        let all = USERS.map(|user| room.server.user(user));
        let lost = room.server.call_all::<String, _>(all, "fail", ("KeyError", "why")).await;
        let faults = lost.iter().filter(|one| matches!(one, Err(CallError::Fault(_)))).count();
        assert_eq!(faults, USERS.len(), "{lost:?}");
    })
    .await;
}

#[tokio::test]
async fn without_users_clients_are_called_by_their_routing_ids() {
    Room::of_nobody(async |room| {
        for desk in ["window", "door"] {
            room.join(None, desk, json!({"IDENTITY": desk})).await;
        }
        let [window, door] = [room.server.send_to("window"), room.server.peer("door")];
        let (window, door) = tokio::join!(who(&window), who(&door));
        assert_eq!([window.expect("it serves"), door.expect("it serves")], ["window", "door"]);
        assert_not_connected(who(&room.server.user("window")).await);
    })
    .await;
}

#[tokio::test]
async fn a_user_is_not_found_by_the_routing_id_that_it_announces() {
    Room::of_users(async |room| {
        room.join(Some("alice"), "alice as bob", json!({"IDENTITY": "bob"})).await;
        for peer in [room.server.user("alice"), room.server.send_to("alice")] {
            assert_eq!(who(&peer).await.expect("it serves"), "alice as bob");
        }
        assert_not_connected(who(&room.server.send_to("bob")).await);
        assert_not_connected(who(&room.server.user("bob")).await);
        room.log_in("bob", "bob").await;
        assert_eq!(who(&room.server.send_to("bob")).await.expect("it serves"), "bob");
    })
    .await;
}

#[tokio::test]
async fn of_two_sessions_the_newest_all_or_the_only_one() {
    Room::of_users(async |room| {
        room.log_in("alice", "first").await;
        let alice = room.server.user("alice");
        assert_eq!(
            who(&alice.clone().require_single_session()).await.expect("there is one"),
            "first"
        );
        room.log_in("alice", "second").await;
        room.log_in("bob", "bob").await;
        // A message from the older session changes nothing: the reference would follow it.
        let hello = json!({"name": "first", "method": "nothing"});
        room.python.ask("call", hello).await;
        for peer in [alice.clone(), room.server.send_to("alice")] {
            assert_eq!(who(&peer).await.expect("it serves"), "second");
            let refused = who(&peer.require_single_session()).await;
            let several = CallRefused::SeveralSessions { count: 2 };
            assert!(matches!(&refused, Err(CallError::Refused(why)) if *why == several));
        }
        let sessions = room.server.sessions("alice");
        let all = room.server.call_all::<String, _>(sessions, "who", ()).await;
        let all: Vec<_> = all.into_iter().map(|one| one.expect("it serves")).collect();
        assert_eq!(all, ["first", "second"]);

        room.python.ask("stop", json!({"name": "second"})).await;
        until("alice's session ends", || room.server.sessions("alice").len() == 1).await;
        assert_eq!(
            who(&alice.require_single_session()).await.expect("it is the only one"),
            "first"
        );
        assert_eq!(who(&room.server.send_to("alice")).await.expect("it serves"), "first");
    })
    .await;
}

/// A Python client has domains as servers have; its server is no user there.
#[tokio::test]
async fn a_python_client_keeps_what_is_restricted_from_its_rust_server() {
    Room::of_users(async |room| {
        room.log_in("alice", "small power").await;
        for (method, domain) in [("who", "restricted"), ("great", "restricted"), ("known", "known")]
        {
            let great = json!({
                "registry": "small power", "method": method, "domain": domain,
                "answer": "great power",
            });
            room.python.ask("offer", great).await;
        }
        let alice = room.server.user("alice");
        assert_eq!(who(&alice).await.expect("it serves"), "small power");
        for name in ["great", "known", "nothing"] {
            let missing = alice.call::<String, _>(name, ()).await;
            let Err(CallError::Fault(fault)) = missing else { panic!("{missing:?}") };
            assert_eq!((&*fault.class, &*fault.message), ("ServiceNotFoundError", name));
        }
    })
    .await;
}

/// Python waits for our answer and serves us meanwhile, each of them as itself.
#[tokio::test]
async fn a_handler_calls_the_user_who_called_it_and_another() {
    Room::of_users(async |room| {
        let server = room.server.clone();
        let both = move |request: pseud::Request| {
            let server = server.clone();
            async move {
                let [caller, bob] = [server.user(request.user().id()), server.user("bob")];
                let (caller, bob) = tokio::join!(who(&caller), who(&bob));
                let told = [caller, bob].into_iter().collect::<Result<Vec<_>, _>>();
                told.map_err(|error| pseud::Fault::new("RuntimeError", error.to_string()))
            }
        };
        room.server.register("both", both).expect("a fair name");
        room.log_in("alice", "alice").await;
        room.log_in("bob", "bob").await;
        let told = room.python.ask("call", json!({"name": "alice", "method": "both"})).await;
        assert_eq!(told["result"], json!({"$tuple": ["alice", "bob"]}), "{told}");
    })
    .await;
}

/// One registry for all clients of a process, after each one's own.
#[tokio::test]
async fn python_clients_serve_their_process_wide_registry() {
    Room::of_users(async |room| {
        room.log_in("alice", "alice").await;
        room.log_in("bob", "bob").await;
        for (registry, answer) in [("global", "global"), ("alice", "own")] {
            let offered = json!({"registry": registry, "method": "everywhere", "answer": answer});
            room.python.ask("offer", offered).await;
        }
        let peers = ["alice", "bob"].map(|user| room.server.user(user));
        let told = room.server.call_all::<String, _>(peers, "everywhere", ()).await;
        let told: Vec<_> = told.into_iter().map(|one| one.expect("it serves")).collect();
        assert_eq!(told, ["own", "global"]);
    })
    .await;
}
