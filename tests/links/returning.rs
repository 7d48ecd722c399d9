//! Losses and returns: calls that wait, calls that end, identities learnt afresh.

use crate::{SOON, client, eager_client, hello, serve, server, soon};
use pseud::{CallError, Client, Fault, Options, Reason, Server};
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_call_waits_for_a_server_that_comes_later() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let endpoint = format!("tcp://127.0.0.1:{port}");
    let client = eager_client(&endpoint);
    let waiting = tokio::spawn(async move { hello(&client).await });
    let (_server, _) = server(&endpoint).await;
    assert_eq!(soon(waiting).await.unwrap(), "Hello Charly");
}

#[tokio::test]
async fn a_call_that_finds_nobody_ends_at_its_deadline_unexecuted() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let client = client(&format!("tcp://127.0.0.1:{port}"));
    let started = Instant::now();
    let timeout = Duration::from_millis(200);
    let error = soon(client.call::<(), _>("hello", ()).timeout(timeout)).await.unwrap_err();
    assert!(matches!(error, CallError::NotExecuted(Reason::NotConnected)), "{error}");
    assert!(error.is_retry_safe());
    assert!(started.elapsed() >= timeout);
}

#[tokio::test]
async fn a_call_to_a_name_that_nobody_holds_ends_after_its_own_wait() {
    let (server, _) = server("tcp://127.0.0.1:0").await;
    let started = Instant::now();
    let error = soon(server.peer("nobody").call::<(), _>("hello", ())).await.unwrap_err();
    assert!(matches!(error, CallError::NotExecuted(Reason::NotConnected)), "{error}");
    assert!((Duration::from_millis(400)..Duration::from_secs(4)).contains(&started.elapsed()));
}

#[tokio::test]
async fn when_the_server_dies_its_calls_end_at_once_and_the_next_find_its_successor() {
    let (first, endpoint) = server("tcp://127.0.0.1:0").await;
    let client = eager_client(&endpoint);
    assert_eq!(hello(&client).await, "Hello Charly");
    let pending: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.call::<(), _>("forever", ()).await })
        })
        .collect();
    soon(async {
        while first.stats().requests_open < 20 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    first.shutdown();
    drop(first);
    for call in pending {
        let error = soon(call).await.unwrap().unwrap_err();
        assert!(matches!(error, CallError::Unknown(Reason::PeerGone)), "{error}");
        assert!(!error.is_retry_safe());
    }
    let second = Server::new("service").unwrap();
    second.bind(&endpoint).await.unwrap();
    second.register_sync("hello", |_| Ok::<_, Fault>("Hello again")).unwrap();
    assert_eq!(hello(&client).await, "Hello again");
}

#[tokio::test]
async fn a_server_that_returns_under_another_name_is_not_taken_for_the_first() {
    let (first, endpoint) = server("tcp://127.0.0.1:0").await;
    let client = eager_client(&endpoint);
    assert_eq!(hello(&client).await, "Hello Charly");
    first.shutdown();
    drop(first);
    let other = Server::new("another").unwrap();
    other.bind(&endpoint).await.unwrap();
    other.register_sync("hello", |_| Ok::<_, Fault>("I am another")).unwrap();
    soon(async {
        while client.stats().sessions == 0 || other.stats().sessions == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let call = client.call::<String, _>("hello", ("Charly",)).timeout(Duration::from_millis(100));
    let error = soon(call).await.unwrap_err();
    assert!(matches!(error, CallError::NotExecuted(Reason::WrongName)), "{error}");
    assert!(error.is_retry_safe() && !error.is_transient());
    let found: String = soon(client.peer("another").call("hello", ("Charly",))).await.unwrap();
    assert_eq!(found, "I am another");
}

#[tokio::test]
async fn a_client_that_returns_takes_its_name_back() {
    let (server, endpoint) = server("tcp://127.0.0.1:0").await;
    for generation in 0..3 {
        let client = Client::with_options(Options::client("service").identity("desk")).unwrap();
        client.register_sync("generation", move |_| Ok::<_, Fault>(generation)).unwrap();
        client.connect(&endpoint).unwrap();
        soon(client.ready()).await;
        assert_eq!(hello(&client).await, "Hello Charly");
        let answer: i32 = soon(server.peer("desk").call("generation", ())).await.unwrap();
        assert_eq!(answer, generation);
    }
}

#[tokio::test]
async fn two_who_announce_one_name_do_not_share_it() {
    let (server, endpoint) = server("tcp://127.0.0.1:0").await;
    let mut options = Options::client("service").identity("desk").call_timeout(SOON);
    // The one that loses the name stays away for as long as the test takes.
    options.retry.first = Duration::from_secs(3_600);
    options.retry.max = Duration::from_secs(3_600);
    let connect = async || {
        let client = Client::with_options(options.clone()).unwrap();
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

#[tokio::test]
async fn a_hundred_clients_come_back_to_a_server_that_restarts() {
    let (first, endpoint) = server("tcp://127.0.0.1:0").await;
    let clients: Vec<_> = (0..100).map(|_| eager_client(&endpoint)).collect();
    for client in &clients {
        assert_eq!(hello(client).await, "Hello Charly");
    }
    first.shutdown();
    drop(first);
    let second = Server::new("service").unwrap();
    serve(&second, &endpoint).await;
    // Until they have heard of the end of the first one, calls go to that.
    soon(async {
        while second.stats().sessions < clients.len() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    for client in &clients {
        assert_eq!(hello(client).await, "Hello Charly");
    }
}
