//! Losses and returns: calls that wait, calls that end, identities learnt afresh.

use crate::{
    Runtime, SOON, Tokio, abandoned, client, conversations, eager_client, hello, new_client,
    new_server, now, serve, server, soon, spawn, until,
};
use pseud::{CallError, Fault, Options, Reason};
use std::time::Duration;

conversations! { Tokio:
    a_call_waits_for_a_server_that_comes_later,
    a_call_that_finds_nobody_ends_at_its_deadline_unexecuted,
    a_call_to_a_name_that_nobody_holds_ends_after_its_own_wait,
    when_the_server_dies_its_calls_end_at_once_and_the_next_find_its_successor,
    a_server_that_returns_under_another_name_is_not_taken_for_the_first,
    a_client_that_returns_takes_its_name_back,
    two_who_announce_one_name_do_not_share_it,
    a_hundred_clients_come_back_to_a_server_that_restarts,
}

async fn a_call_waits_for_a_server_that_comes_later<R: Runtime>() {
    let endpoint = abandoned::<R>().await;
    let client = eager_client::<R>(&endpoint);
    let waiting = spawn(async move { hello(&client).await });
    let (_server, _) = server::<R>(&endpoint).await;
    assert_eq!(soon(waiting).await.unwrap(), "Hello Charly");
}

async fn a_call_that_finds_nobody_ends_at_its_deadline_unexecuted<R: Runtime>() {
    let client = client::<R>(&abandoned::<R>().await);
    let started = now();
    let timeout = Duration::from_millis(200);
    let error = soon(client.call::<(), _>("hello", ()).timeout(timeout)).await.unwrap_err();
    assert!(matches!(error, CallError::NotExecuted(Reason::NotConnected)), "{error}");
    assert!(error.is_retry_safe());
    assert!(now() - started >= timeout);
}

async fn a_call_to_a_name_that_nobody_holds_ends_after_its_own_wait<R: Runtime>() {
    let (server, _) = server::<R>("tcp://127.0.0.1:0").await;
    let started = now();
    let error = soon(server.peer("nobody").call::<(), _>("hello", ())).await.unwrap_err();
    assert!(matches!(error, CallError::NotExecuted(Reason::NotConnected)), "{error}");
    let took = now() - started;
    assert!((Duration::from_millis(400)..Duration::from_secs(4)).contains(&took), "{took:?}");
}

async fn when_the_server_dies_its_calls_end_at_once_and_the_next_find_its_successor<R: Runtime>() {
    let (first, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
    let client = eager_client::<R>(&endpoint);
    assert_eq!(hello(&client).await, "Hello Charly");
    let pending: Vec<_> = (0..20).map(|_| spawn(client.call::<(), _>("forever", ()))).collect();
    until(|| first.stats().requests_open >= 20).await;
    first.shutdown();
    drop(first);
    for call in pending {
        let error = soon(call).await.unwrap().unwrap_err();
        assert!(matches!(error, CallError::Unknown(Reason::PeerGone)), "{error}");
        assert!(!error.is_retry_safe());
    }
    let second = new_server::<R>(Options::server("service"));
    second.bind(&endpoint).await.unwrap();
    second.register_sync("hello", |_| Ok::<_, Fault>("Hello again")).unwrap();
    assert_eq!(hello(&client).await, "Hello again");
}

async fn a_server_that_returns_under_another_name_is_not_taken_for_the_first<R: Runtime>() {
    let (first, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
    let client = eager_client::<R>(&endpoint);
    assert_eq!(hello(&client).await, "Hello Charly");
    first.shutdown();
    drop(first);
    let other = new_server::<R>(Options::server("another"));
    other.bind(&endpoint).await.unwrap();
    other.register_sync("hello", |_| Ok::<_, Fault>("I am another")).unwrap();
    until(|| client.stats().sessions > 0 && other.stats().sessions > 0).await;
    let call = client.call::<String, _>("hello", ("Charly",)).timeout(Duration::from_millis(100));
    let error = soon(call).await.unwrap_err();
    assert!(matches!(error, CallError::NotExecuted(Reason::WrongName)), "{error}");
    assert!(error.is_retry_safe() && !error.is_transient());
    let found: String = soon(client.peer("another").call("hello", ("Charly",))).await.unwrap();
    assert_eq!(found, "I am another");
}

async fn a_client_that_returns_takes_its_name_back<R: Runtime>() {
    let (server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
    for generation in 0..3 {
        let client = new_client::<R>(Options::client("service").identity("desk"));
        client.register_sync("generation", move |_| Ok::<_, Fault>(generation)).unwrap();
        client.connect(&endpoint).unwrap();
        soon(client.ready()).await;
        assert_eq!(hello(&client).await, "Hello Charly");
        let answer: i32 = soon(server.peer("desk").call("generation", ())).await.unwrap();
        assert_eq!(answer, generation);
    }
}

async fn two_who_announce_one_name_do_not_share_it<R: Runtime>() {
    let (server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
    let mut options = Options::client("service").identity("desk").call_timeout(SOON);
    // The one that loses the name stays away for as long as the test takes.
    options.retry.first = Duration::from_secs(3_600);
    options.retry.max = Duration::from_secs(3_600);
    let connect = async || {
        let client = new_client::<R>(options.clone());
        client.connect(&endpoint).unwrap();
        soon(client.ready()).await;
        assert_eq!(hello(&client).await, "Hello Charly");
        client
    };
    let first = connect().await;
    let mut events = first.events();
    let second = connect().await;
    let lost = soon(events.next()).await.unwrap();
    assert!(matches!(lost, pseud::ConnectionEvent::Disconnected { .. }), "{lost:?}");
    second.register_sync("who", |_| Ok::<_, Fault>("second")).unwrap();
    let who: String = soon(server.peer("desk").call("who", ())).await.unwrap();
    assert_eq!(who, "second");
    assert_eq!(server.stats().sessions, 1);
}

async fn a_hundred_clients_come_back_to_a_server_that_restarts<R: Runtime>() {
    let (first, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
    let clients: Vec<_> = (0..100).map(|_| eager_client::<R>(&endpoint)).collect();
    for client in &clients {
        assert_eq!(hello(client).await, "Hello Charly");
    }
    first.shutdown();
    drop(first);
    let second = new_server::<R>(Options::server("service"));
    serve(&second, &endpoint).await;
    // Until they have heard of the end of the first one, calls go to that.
    until(|| second.stats().sessions >= clients.len()).await;
    for client in &clients {
        assert_eq!(hello(client).await, "Hello Charly");
    }
}
