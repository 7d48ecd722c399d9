//! What returns has happened: an endpoint that was given up is free, a link that was closed is over.

use crate::{SOON, hello, serve, soon};
use pseud::tokio::Drain;
use pseud::{CallError, Client, ConnectionEvent, Fault, Options, Reason, Server};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

const TRIES: usize = 50;

#[derive(Debug, Clone, Copy)]
enum End {
    Unbind,
    Shutdown,
    Drain,
}

/// Binds one endpoint again and again, with a client that is connected to it.
async fn bind_again(endpoint: &str, end: End) {
    let mut endpoint = endpoint.to_owned();
    let mut unbound = Vec::new();
    for round in 0..TRIES {
        let server = Server::new("service").unwrap();
        let bound = server.bind(&endpoint).await;
        endpoint = bound.unwrap_or_else(|error| panic!("{end:?}, try {round}: {error}"));
        server.register_sync("hello", |_| Ok::<_, Fault>("Hello Charly")).unwrap();
        let client = Client::new("service").unwrap();
        client.connect(&endpoint).unwrap();
        assert_eq!(hello(&client).await, "Hello Charly");
        match end {
            End::Unbind => {
                server.unbind(&endpoint).unwrap();
                // It lives on with its link, and listens no more.
                unbound.push((server, client));
            }
            End::Shutdown => server.shutdown(),
            End::Drain => assert_eq!(soon(server.drain(SOON)).await, Drain::Complete),
        }
    }
    if let Some((_server, client)) = unbound.first() {
        assert_eq!(hello(client).await, "Hello Charly", "links outlive an unbind");
    }
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn multi_thread() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// An endpoint of that kind which nobody else uses. No connection leaves from its address, so none can
/// hold its port.
fn endpoint(kind: &str, fresh: &str) -> String {
    match kind {
        "tcp" if cfg!(target_os = "linux") => "tcp://127.77.0.1:0".to_owned(),
        "tcp" => "tcp://127.0.0.1:0".to_owned(),
        "abstract" => format!("ipc://@pseud-returned-{}-{fresh}", process::id()),
        _ => {
            let file = format!("pseud-returned-{}-{fresh}", process::id());
            format!("ipc://{}", std::env::temp_dir().join(file).display())
        }
    }
}

fn free_after(end: End, runtime: fn() -> Runtime, threads: &str) {
    let kinds: &[_] =
        if cfg!(target_os = "linux") { &["tcp", "ipc", "abstract"] } else { &["tcp", "ipc"] };
    for kind in kinds {
        let endpoint = endpoint(kind, &format!("{end:?}-{threads}"));
        runtime().block_on(bind_again(&endpoint, end));
    }
}

#[test]
fn after_unbind_the_endpoint_is_free_on_one_thread() {
    free_after(End::Unbind, current_thread, "one");
}

#[test]
fn after_unbind_the_endpoint_is_free_on_several_threads() {
    free_after(End::Unbind, multi_thread, "several");
}

#[test]
fn after_shutdown_the_endpoint_is_free_on_one_thread() {
    free_after(End::Shutdown, current_thread, "one");
}

#[test]
fn after_shutdown_the_endpoint_is_free_on_several_threads() {
    free_after(End::Shutdown, multi_thread, "several");
}

#[test]
fn after_drain_the_endpoint_is_free_on_one_thread() {
    free_after(End::Drain, current_thread, "one");
}

#[test]
fn after_drain_the_endpoint_is_free_on_several_threads() {
    free_after(End::Drain, multi_thread, "several");
}

#[tokio::test]
async fn a_bind_that_a_shutdown_overtook_leaves_nothing_bound() {
    for _ in 0..TRIES {
        let server = Server::new("service").unwrap();
        let (bind, shutdown) = (server.bind("tcp://127.0.0.1:0"), async { server.shutdown() });
        let (bound, ()) = tokio::join!(bind, shutdown);
        if let Ok(endpoint) = bound {
            let again = Server::new("service").unwrap();
            again.bind(&endpoint).await.unwrap();
        }
    }
}

/// Calls after a `disconnect` are never answered over the link that was closed.
async fn disconnect_again(threads: &str) {
    let count = |from: &Server| from.stats().requests_served;
    for kind in ["tcp", "ipc"] {
        let first = Server::new("service").unwrap();
        let one = serve(&first, &endpoint(kind, &format!("one-{threads}"))).await;
        let second = Server::new("service").unwrap();
        let two = serve(&second, &endpoint(kind, &format!("two-{threads}"))).await;
        let client = Client::new("service").unwrap();
        let mut events = client.events();
        client.connect(&one).unwrap();
        assert_eq!(hello(&client).await, "Hello Charly");
        for round in 1..=TRIES as u64 {
            let ((old, before), (next, other)) = match round % 2 {
                1 => ((&one, &first), (&two, &second)),
                _ => ((&two, &second), (&one, &first)),
            };
            let served = (count(before), count(other));
            client.disconnect(old).unwrap();
            assert_eq!(client.stats().sessions, 0, "its session is over");
            client.connect(next).unwrap();
            assert_eq!(hello(&client).await, "Hello Charly", "{kind}, try {round}");
            assert_eq!((count(before), count(other)), (served.0, served.1 + 1), "{kind}, {round}");
        }
        let mut lost = 0;
        client.shutdown();
        while let Some(event) = soon(events.next()).await {
            match event {
                ConnectionEvent::Disconnected { reason: Reason::Disconnected, .. } => lost += 1,
                ConnectionEvent::Disconnected { reason: Reason::Shutdown, .. }
                | ConnectionEvent::Connecting { .. }
                | ConnectionEvent::Connected { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(lost, TRIES);
    }
}

#[test]
fn after_disconnect_its_session_is_over_on_one_thread() {
    current_thread().block_on(disconnect_again("one"));
}

#[test]
fn after_disconnect_its_session_is_over_on_several_threads() {
    multi_thread().block_on(disconnect_again("several"));
}

#[tokio::test]
async fn after_disconnect_calls_wait_for_another_link_and_are_not_executed() {
    let (server, endpoint) = crate::server("tcp://127.0.0.1:0").await;
    let client = Client::new("service").unwrap();
    client.connect(&endpoint).unwrap();
    assert_eq!(hello(&client).await, "Hello Charly");
    let open = client.call::<(), _>("forever", ());
    let open = tokio::spawn(open);
    soon(async {
        while server.stats().requests_open == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    client.disconnect(&endpoint).unwrap();
    let waiting = client.call::<String, _>("hello", ("Charly",)).timeout(Duration::from_millis(50));
    let error = soon(waiting).await.unwrap_err();
    assert!(matches!(error, CallError::NotExecuted(_)), "{error}");
    let error = soon(open).await.unwrap().unwrap_err();
    assert!(matches!(error, CallError::Unknown(_)), "it had left: {error}");
    soon(async {
        while server.stats().sessions > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// A link whose handshake is going on when it is disconnected never becomes a session.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disconnect_in_a_handshake_leaves_no_session() {
    let (server, endpoint) = crate::server("tcp://127.0.0.1:0").await;
    let begun = AtomicUsize::new(0);
    for round in 0..200 {
        let client = Client::with_options(Options::client("service")).unwrap();
        client.connect(&endpoint).unwrap();
        for _ in 0..round % 20 {
            tokio::task::yield_now().await;
        }
        begun.fetch_add(client.stats().sessions, Ordering::Relaxed);
        client.disconnect(&endpoint).unwrap();
        assert_eq!(client.stats().sessions, 0);
        let call = client.call::<String, _>("hello", ("x",)).timeout(Duration::from_millis(5));
        let error = soon(call).await.unwrap_err();
        assert!(matches!(error, CallError::NotExecuted(_)), "{error}");
        assert_eq!(client.stats().sessions, 0);
    }
    assert_eq!(server.stats().requests_served, 0);
}
