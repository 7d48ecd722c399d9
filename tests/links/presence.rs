//! Who is there: listed, told as it changes, told to others, kept in a store, looked after from afar.

use crate::{
    Client, Runtime, SOON, Server, Tokio, client, conversations, eager, eager_client, hello,
    new_client, new_server, now, serve, soon, spawn, until, yield_now,
};
use pseud::tokio::{MemoryPresence, PresenceStore, Who};
use pseud::{
    Authenticator, CallError, Fault, Options, Presence, PresenceEvent, Reason, Secret, User, Value,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

conversations! { Tokio:
    peers_say_who_is_there_and_what_goes_on,
    a_feed_tells_each_user_once_and_a_store_holds_all,
    an_admin_lists_calls_and_kicks_and_nobody_else_does,
    a_watch_ends_with_the_right_to_it_and_with_the_node,
    k_10_a_page_is_bounded_and_the_next_one_goes_on_behind_it,
}

const ANYWHERE: &str = "tcp://127.0.0.1:0";

/// A server that admits alice, and root, who is an admin.
pub(crate) async fn plain_server<R: Runtime>() -> (Server<R>, String) {
    let users = Authenticator::new(|question| async move {
        let pseud::Question::Plain { username, password } = question else {
            return pseud::Verdict::Deny;
        };
        match (&*username, password == Secret::new("secret")) {
            (b"root", true) => pseud::Verdict::Admit(User::new("root").with_permission("admin")),
            (_, true) => pseud::Verdict::Admit(User::new(username)),
            (_, false) => pseud::Verdict::Deny,
        }
    });
    let server = new_server::<R>(Options::server("service").plain_server(users));
    server.registry().serve_admin(|_| false);
    let endpoint = serve(&server, ANYWHERE).await;
    (server, endpoint)
}

pub(crate) async fn user<R: Runtime>(endpoint: &str, name: &str) -> Client<R> {
    let options = Options::client("service").plain_client(name, Secret::new("secret"));
    let client = new_client::<R>(eager(options));
    let says = name.to_owned();
    client.register_sync("name", move |_| Ok::<_, Fault>(says.clone())).unwrap();
    client.connect(endpoint).unwrap();
    soon(client.ready()).await;
    client
}

async fn joined(presence: &mut Presence) -> pseud::Peer {
    match soon(presence.next()).await {
        Some(PresenceEvent::Joined { peer, .. }) => peer,
        other => panic!("{other:?}"),
    }
}

async fn left(presence: &mut Presence) -> Option<Reason> {
    match soon(presence.next()).await {
        Some(PresenceEvent::Left { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

async fn peers_say_who_is_there_and_what_goes_on<R: Runtime>() {
    let (server, endpoint) = plain_server::<R>().await;
    let mut presence = server.presence();
    let before = now();
    let alice = user::<R>(&endpoint, "alice").await;
    let peer = joined(&mut presence).await;
    hello(&alice).await;
    let waiting = spawn(alice.call::<(), _>("forever", ()));
    until(|| server.stats().requests_open > 0).await;
    let listed: Vec<_> = server.peers().collect();
    let [one] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!((one.user(), Some(one.session)), (&User::new("alice"), peer.session()));
    assert!(one.address().starts_with("127.0.0.1:") && one.mechanism().as_str() == "PLAIN");
    assert_eq!(one.capabilities(), pseud::proto::Capabilities::ALL);
    assert_eq!((one.calls_pending, one.requests_open), (0, 1));
    assert!(one.bytes_received > 100 && one.bytes_sent > 100, "{one:?}");
    assert!(
        before <= one.since + Duration::from_millis(1) && one.since <= one.last_heard,
        "{one:?}"
    );
    assert!(
        server.is_connected("alice") && !server.is_connected("bob") && !server.is_connected("")
    );
    assert!(server.peers_after(Some(one.session), 10).is_empty());
    assert_eq!(server.peers_after(None, 0).len(), 0);
    alice.shutdown();
    assert!(soon(waiting).await.unwrap().is_err());
    left(&mut presence).await;
    assert!(!server.is_connected("alice") && server.peers().next().is_none());
}

async fn a_feed_tells_each_user_once_and_a_store_holds_all<R: Runtime>() {
    let (server, endpoint) = plain_server::<R>().await;
    let store = MemoryPresence::new();
    let publishing = spawn(server.node().publish_presence("one", store.clone()));
    let (mut feed, mut presence) =
        (server.presence_feed(Duration::from_millis(50)), server.presence());
    let first = user::<R>(&endpoint, "alice").await;
    joined(&mut presence).await;
    let _second = user::<R>(&endpoint, "alice").await;
    joined(&mut presence).await;
    let change = soon(feed.next()).await.unwrap();
    assert_eq!((change.who, change.is_connected), (Who::User("alice".into()), true));
    let both_are_there = async {
        while store.page(None, 9).await.unwrap().len() != 2 {
            yield_now().await;
        }
    };
    soon(both_are_there).await;
    assert!(store.is_connected("alice".into()).await.unwrap());
    first.shutdown();
    left(&mut presence).await;
    let _bob = user::<R>(&endpoint, "bob").await;
    joined(&mut presence).await;
    // Alice has a session still: nothing is told of that.
    let change = soon(feed.next()).await.unwrap();
    assert_eq!((change.who, change.is_connected), (Who::User("bob".into()), true));
    server.shutdown();
    soon(publishing).await.unwrap();
    assert!(store.page(None, 9).await.unwrap().is_empty());
    assert!(!store.is_connected("alice".into()).await.unwrap());
}

async fn an_admin_lists_calls_and_kicks_and_nobody_else_does<R: Runtime>() {
    let (server, endpoint) = plain_server::<R>().await;
    let (root, alice) = (user::<R>(&endpoint, "root").await, user::<R>(&endpoint, "alice").await);
    let page: Value = soon(root.call("pseud.peers", ())).await.unwrap();
    let text = format!("{page:?}");
    assert!(text.contains("alice") && text.contains("root"), "{text}");
    let name: String = soon(root.call("pseud.call", ("alice", "name"))).await.unwrap();
    assert_eq!(name, "alice");
    for timeout in [-1.0, f64::NAN, 1e300] {
        let arguments = ("alice", "name", (), Value::Map(Vec::new()), timeout);
        let odd = soon(root.call::<Value, _>("pseud.call", arguments)).await.unwrap_err();
        assert!(matches!(&odd, CallError::Fault(fault) if fault.class == "ValueError"), "{odd}");
    }
    for method in ["pseud.peers", "pseud.call", "pseud.kick", "pseud.watch"] {
        let refused = soon(alice.call::<Value, _>(method, ())).await.unwrap_err();
        assert!(refused.is_service_not_found(), "{method}: {refused}");
    }
    let mut presence = server.presence();
    let (_, _) = (joined(&mut presence).await, joined(&mut presence).await);
    let count: usize = soon(root.call("pseud.kick", ("alice",))).await.unwrap();
    assert_eq!((count, left(&mut presence).await), (1, Some(Reason::Revoked)));
}

async fn a_watch_ends_with_the_right_to_it_and_with_the_node<R: Runtime>() {
    let (server, endpoint) = plain_server::<R>().await;
    let root = user::<R>(&endpoint, "root").await;
    let told = Arc::new(AtomicUsize::new(0));
    let counts = told.clone();
    let changed = move |request: pseud::Request| {
        let (changes,): (Vec<Value>,) = request.args()?;
        counts.fetch_add(changes.len(), Ordering::SeqCst);
        Ok::<_, Fault>(())
    };
    root.register_sync("changed", changed).unwrap();
    let admin = User::new("root").with_permission("admin");
    let watching = || root.call::<Value, _>("pseud.watch", ("changed",)).timeout(SOON);
    let first = spawn(watching());
    until(|| told.load(Ordering::SeqCst) == 1).await;
    assert_eq!(server.update_user(&User::new("root")), 1);
    let _alice = user::<R>(&endpoint, "alice").await;
    let ended = soon(first).await.unwrap().unwrap_err();
    assert!(ended.is_service_not_found(), "{ended}");
    assert_eq!(told.load(Ordering::SeqCst), 1, "it may not know of alice");
    assert_eq!(server.update_user(&admin), 1);
    let second = spawn(watching());
    until(|| told.load(Ordering::SeqCst) == 3).await;
    soon(server.drained()).await;
    soon(second).await.unwrap().unwrap();
}

async fn k_10_a_page_is_bounded_and_the_next_one_goes_on_behind_it<R: Runtime>() {
    let server = new_server::<R>(Options::server("service"));
    server.registry().serve_admin(|_| true);
    let endpoint = serve(&server, ANYWHERE).await;
    let clients: Vec<_> = (0..5).map(|_| client::<R>(&endpoint)).collect();
    for client in &clients {
        soon(client.ready()).await;
    }
    let admin = eager_client::<R>(&endpoint);
    soon(admin.ready()).await;
    // A client is ready before its server is.
    until(|| server.stats().sessions == 6).await;
    #[derive(serde::Deserialize)]
    struct Page {
        peers: Vec<BTreeMap<String, Value>>,
        next: Option<String>,
    }
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let page: Page = soon(admin.call("pseud.peers", (after, 2))).await.unwrap();
        assert!(page.peers.len() <= 2);
        let sessions = page.peers.iter().map(|peer| format!("{:?}", peer["session"]));
        seen.extend(sessions);
        after = match page.next {
            Some(next) => Some(next),
            None => break,
        };
    }
    let mut once = seen.clone();
    once.sort();
    once.dedup();
    assert_eq!((seen.len(), once.len()), (6, 6), "{seen:?}");
    let odd = soon(admin.call::<Value, _>("pseud.peers", ("no session",))).await.unwrap_err();
    assert!(matches!(odd, CallError::Fault(_)), "{odd}");
    drop(Arc::new(clients));
}
