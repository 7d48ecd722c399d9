//! A server calls its clients: by user, by identity, by session, one or all of them.

use crate::{
    Client, Runtime, Server, Tokio, conversations, new_client, new_server, soon, spawn, timeout,
    until,
};
use pseud::proto::CallRefused;
use pseud::{Authenticator, CallError, Fault, Options, Peer, Reason, Secret, User};
use std::time::Duration;

conversations! { Tokio:
    a_server_calls_several_named_clients_at_once,
    e_07_under_null_a_routing_id_is_no_user,
    of_two_sessions_of_a_user_the_newest_all_or_the_only_one,
    what_one_session_does_with_a_call_touches_no_other,
    one_call_that_is_dropped_gives_all_of_them_up,
    a_user_who_comes_in_time_is_called,
    one_session_is_disconnected_and_the_other_stays,
}

const ANYWHERE: &str = "tcp://127.0.0.1:0";

async fn bind<R: Runtime>(options: Options) -> (Server<R>, String) {
    let server = new_server::<R>(options);
    let endpoint = server.bind(ANYWHERE).await.unwrap();
    (server, endpoint.into())
}

fn users() -> Authenticator {
    Authenticator::passwords([("alice", Secret::new("a")), ("bob", Secret::new("b"))])
}

/// A server that admits alice and bob.
async fn plain_server<R: Runtime>() -> (Server<R>, String) {
    bind::<R>(Options::server("service").plain_server(users())).await
}

/// A client that says who it is, and fails if that is `fails`; it has its session already.
async fn client<R: Runtime>(options: Options, endpoint: &str, says: &'static str) -> Client<R> {
    let client = new_client::<R>(options);
    let name = move |_| match says {
        "fails" => Err(Fault::new("KeyError", "no name")),
        says => Ok(says),
    };
    client.register_sync("name", name).unwrap();
    client
        .register("forever", |_| async { std::future::pending::<Result<(), Fault>>().await })
        .unwrap();
    client.connect(endpoint).unwrap();
    soon(client.ready()).await;
    client
}

async fn named<R: Runtime>(endpoint: &str, name: &'static str) -> Client<R> {
    client::<R>(Options::client("service").identity(name), endpoint, name).await
}

async fn user<R: Runtime>(endpoint: &str, login: &str, says: &'static str) -> Client<R> {
    let password = Secret::new(&login[..1]);
    client::<R>(Options::client("service").plain_client(login, password), endpoint, says).await
}

async fn name(peer: &Peer) -> Result<String, CallError> {
    soon(peer.call("name", ())).await
}

/// A client is ready before its server is; the server's next session is that client's.
async fn until_sessions<R: Runtime>(server: &Server<R>, count: usize) {
    until(|| server.stats().sessions == count).await;
}

#[track_caller]
fn assert_not_connected(result: Result<String, CallError>) {
    let not_connected = matches!(result, Err(CallError::NotExecuted(Reason::NotConnected)));
    assert!(not_connected, "{result:?}");
}

async fn a_server_calls_several_named_clients_at_once<R: Runtime>() {
    let (server, endpoint) = bind::<R>(Options::server("service")).await;
    let _clients = [
        named::<R>(&endpoint, "desk").await,
        named::<R>(&endpoint, "fails").await,
        named::<R>(&endpoint, "lamp").await,
    ];
    let peers = ["desk", "fails", "nobody", "lamp"].map(|name| server.peer(name));
    let told: Vec<Result<String, _>> = soon(server.call_all(peers.clone(), "name", ())).await;
    let [Ok(desk), Err(CallError::Fault(fault)), Err(nobody), Ok(lamp)] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!((&**desk, &*fault.class, &**lamp), ("desk", "KeyError", "lamp"));
    assert!(matches!(nobody, CallError::NotExecuted(Reason::NotConnected)), "{nobody}");
    let [desk, lamp] = [server.send_to("desk"), server.send_to(b"lamp")];
    let (desk, lamp) = tokio::join!(name(&desk), name(&lamp));
    assert_eq!((desk.unwrap(), lamp.unwrap()), ("desk".into(), "lamp".into()));
    assert_eq!(server.send_to("desk").info().unwrap().identity, &b"desk"[..]);
    assert!(soon(server.call_all::<String, _>([], "name", ())).await.is_empty());
}

async fn e_07_under_null_a_routing_id_is_no_user<R: Runtime>() {
    let (server, endpoint) = bind::<R>(Options::server("service")).await;
    let _mallory = named::<R>(&endpoint, "alice").await;
    assert_eq!(name(&server.peer("alice")).await.unwrap(), "alice");
    assert_not_connected(name(&server.user("alice")).await);
    assert!(server.user("alice").info().is_none() && server.sessions("alice").is_empty());
    assert_eq!((server.disconnect_user("alice"), server.disconnect_user("")), (0, 0));
    assert_eq!(name(&server.send_to("alice")).await.unwrap(), "alice");
}

async fn of_two_sessions_of_a_user_the_newest_all_or_the_only_one<R: Runtime>() {
    let (server, endpoint) = plain_server::<R>().await;
    let _first = user::<R>(&endpoint, "alice", "first").await;
    until_sessions(&server, 1).await;
    let alice = server.user("alice");
    assert_eq!(name(&alice.clone().require_single_session()).await.unwrap(), "first");
    let second = user::<R>(&endpoint, "alice", "second").await;
    until_sessions(&server, 2).await;
    let _bob = user::<R>(&endpoint, "bob", "bob").await;
    until_sessions(&server, 3).await;
    for peer in [alice.clone(), server.send_to("alice")] {
        assert_eq!(name(&peer).await.unwrap(), "second");
        assert_eq!(peer.info().unwrap().user, User::new("alice"));
        let refused = name(&peer.clone().require_single_session()).await.unwrap_err();
        let CallError::Refused(CallRefused::SeveralSessions { count: 2 }) = refused else {
            panic!("{refused}")
        };
        assert!(peer.require_single_session().info().is_none());
    }
    let sessions = server.sessions("alice");
    let all: Vec<Result<String, _>> = soon(server.call_all(sessions.clone(), "name", ())).await;
    let all: Vec<String> = all.into_iter().map(Result::unwrap).collect();
    assert_eq!(all, ["first", "second"]);
    second.shutdown();
    until_sessions(&server, 2).await;
    assert_eq!(name(&alice.clone().require_single_session()).await.unwrap(), "first");
    // A handle to a session never means another one.
    let gone = name(&sessions[1]).await.unwrap_err();
    assert!(matches!(gone, CallError::NotExecuted(Reason::PeerGone)), "{gone}");
    assert_not_connected(name(&server.peer("alice")).await);
    assert_eq!(name(&server.user(b"bob")).await.unwrap(), "bob");
}

async fn what_one_session_does_with_a_call_touches_no_other<R: Runtime>() {
    let (server, endpoint) = plain_server::<R>().await;
    let first = user::<R>(&endpoint, "alice", "first").await;
    until_sessions(&server, 1).await;
    let _second = user::<R>(&endpoint, "alice", "fails").await;
    until_sessions(&server, 2).await;
    let all = server.call_all::<String, _>(server.sessions("alice"), "name", ());
    let all = soon(all.timeout(Duration::from_secs(10))).await;
    assert!(matches!(&all[..], [Ok(_), Err(CallError::Fault(_))]), "{all:?}");
    let stuck = spawn({
        let server = server.clone();
        async move { server.call_all::<(), _>(server.sessions("alice"), "forever", ()).await }
    });
    until(|| server.stats().calls_pending >= 2 && first.stats().requests_open > 0).await;
    assert_eq!(server.disconnect_user("alice"), 2);
    let all = soon(stuck).await.unwrap();
    assert_eq!(all.len(), 2);
    assert!(all.iter().all(Result::is_err), "{all:?}");
}

async fn one_call_that_is_dropped_gives_all_of_them_up<R: Runtime>() {
    let (server, endpoint) = plain_server::<R>().await;
    let _clients =
        [user::<R>(&endpoint, "alice", "a").await, user::<R>(&endpoint, "alice", "b").await];
    until_sessions(&server, 2).await;
    let all = server.call_all::<(), _>(server.sessions("alice"), "forever", ());
    let waiting = timeout(Duration::from_millis(1), all).await;
    assert!(waiting.is_none());
    assert_eq!(server.stats().calls_pending, 0);
    let news = (1, "two");
    let all = server.call_all::<(), _>(server.sessions("alice"), "name", news);
    let all = soon(all.kwargs([1, 2])).await;
    assert!(all.iter().all(|one| matches!(one, Err(CallError::Refused(_)))), "{all:?}");
}

async fn a_user_who_comes_in_time_is_called<R: Runtime>() {
    let mut options = Options::server("service").plain_server(users());
    options.config.unroutable_timeout = crate::SOON;
    options.config.call_timeout = crate::SOON;
    let (server, endpoint) = bind::<R>(options).await;
    let calling = [
        server.user("alice"),
        server.user("alice").require_single_session(),
        server.send_to("alice"),
    ];
    let calling = spawn(server.call_all::<String, _>(calling, "name", ()));
    until(|| server.stats().calls_pending >= 3).await;
    let _client = user::<R>(&endpoint, "alice", "here").await;
    for told in soon(calling).await.unwrap() {
        assert_eq!(told.unwrap(), "here");
    }
}

async fn one_session_is_disconnected_and_the_other_stays<R: Runtime>() {
    let (server, endpoint) = plain_server::<R>().await;
    let _first = user::<R>(&endpoint, "alice", "first").await;
    until_sessions(&server, 1).await;
    let second = user::<R>(&endpoint, "alice", "second").await;
    until_sessions(&server, 2).await;
    let mut events = second.events();
    let newest = server.sessions("alice").pop().unwrap();
    assert!(newest.disconnect() && !newest.disconnect());
    let lost = soon(events.next()).await.unwrap();
    assert!(matches!(lost, pseud::ConnectionEvent::Disconnected { .. }), "{lost:?}");
    assert_eq!(name(&server.sessions("alice")[0]).await.unwrap(), "first");
    assert!(!server.user("nobody").disconnect());
}
