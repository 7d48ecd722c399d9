//! What returns has happened: an endpoint that was given up is free, a link that was closed is over.

use crate::{
    Runtime, SOON, Server, Tokio, conversations, hello, is_simulated, new_client, new_server,
    serve, soon, spawn, until, yield_now,
};
use pseud::tokio::Drain;
use pseud::{CallError, ConnectionEvent, Fault, Options, Reason};
use pseud_testkit::conversation::over_sockets;
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

conversations! { Tokio:
    after_unbind_the_endpoint_is_free_on_one_thread,
    after_shutdown_the_endpoint_is_free_on_one_thread,
    after_drain_the_endpoint_is_free_on_one_thread,
    after_disconnect_its_session_is_over_on_one_thread,
    a_bind_that_a_shutdown_overtook_leaves_nothing_bound,
    after_disconnect_calls_wait_for_another_link_and_are_not_executed,
    a_disconnect_in_a_handshake_leaves_no_session on 2 threads,
}

/// In a simulated world a few do, since there are many.
fn tries() -> usize {
    if is_simulated() { 4 } else { 50 }
}

#[derive(Debug, Clone, Copy)]
enum End {
    Unbind,
    Shutdown,
    Drain,
}

/// Binds one endpoint again and again, with a client that is connected to it.
async fn bind_again<R: Runtime>(endpoint: &str, end: End) {
    let mut endpoint = endpoint.to_owned();
    let mut unbound = Vec::new();
    for round in 0..tries() {
        let server = new_server::<R>(Options::server("service"));
        let bound = server.bind(&endpoint).await;
        endpoint = bound.unwrap_or_else(|error| panic!("{end:?}, try {round}: {error}")).into();
        server.register_sync("hello", |_| Ok::<_, Fault>("Hello Charly")).unwrap();
        let client = new_client::<R>(Options::client("service"));
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

async fn free_after<R: Runtime>(end: End, threads: &str) {
    let kinds: &[_] =
        if cfg!(target_os = "linux") { &["tcp", "ipc", "abstract"] } else { &["tcp", "ipc"] };
    for kind in kinds {
        bind_again::<R>(&endpoint(kind, &format!("{end:?}-{threads}")), end).await;
    }
}

async fn after_unbind_the_endpoint_is_free_on_one_thread<R: Runtime>() {
    free_after::<R>(End::Unbind, "one").await;
}

async fn after_shutdown_the_endpoint_is_free_on_one_thread<R: Runtime>() {
    free_after::<R>(End::Shutdown, "one").await;
}

async fn after_drain_the_endpoint_is_free_on_one_thread<R: Runtime>() {
    free_after::<R>(End::Drain, "one").await;
}

async fn after_disconnect_its_session_is_over_on_one_thread<R: Runtime>() {
    disconnect_again::<R>("one").await;
}

#[test]
fn after_unbind_the_endpoint_is_free_on_several_threads() {
    over_sockets(2, free_after::<Tokio>(End::Unbind, "several"));
}

#[test]
fn after_shutdown_the_endpoint_is_free_on_several_threads() {
    over_sockets(2, free_after::<Tokio>(End::Shutdown, "several"));
}

#[test]
fn after_drain_the_endpoint_is_free_on_several_threads() {
    over_sockets(2, free_after::<Tokio>(End::Drain, "several"));
}

#[test]
fn after_disconnect_its_session_is_over_on_several_threads() {
    over_sockets(2, disconnect_again::<Tokio>("several"));
}

async fn a_bind_that_a_shutdown_overtook_leaves_nothing_bound<R: Runtime>() {
    for _ in 0..tries() {
        let server = new_server::<R>(Options::server("service"));
        let (bind, shutdown) = (server.bind("tcp://127.0.0.1:0"), async { server.shutdown() });
        let (bound, ()) = tokio::join!(bind, shutdown);
        if let Ok(endpoint) = bound {
            let again = new_server::<R>(Options::server("service"));
            again.bind(&endpoint).await.unwrap();
        }
    }
}

/// Calls after a `disconnect` are never answered over the link that was closed.
async fn disconnect_again<R: Runtime>(threads: &str) {
    let count = |from: &Server<R>| from.stats().requests_served;
    for kind in ["tcp", "ipc"] {
        let first = new_server::<R>(Options::server("service"));
        let one = serve(&first, &endpoint(kind, &format!("one-{threads}"))).await;
        let second = new_server::<R>(Options::server("service"));
        let two = serve(&second, &endpoint(kind, &format!("two-{threads}"))).await;
        let client = new_client::<R>(Options::client("service"));
        let mut events = client.events();
        client.connect(&one).unwrap();
        assert_eq!(hello(&client).await, "Hello Charly");
        for round in 1..=tries() as u64 {
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
        assert_eq!(lost, tries());
    }
}

async fn after_disconnect_calls_wait_for_another_link_and_are_not_executed<R: Runtime>() {
    let (server, endpoint) = crate::server::<R>("tcp://127.0.0.1:0").await;
    let client = new_client::<R>(Options::client("service"));
    client.connect(&endpoint).unwrap();
    assert_eq!(hello(&client).await, "Hello Charly");
    let open = client.call::<(), _>("forever", ());
    let open = spawn(open);
    until(|| server.stats().requests_open > 0).await;
    client.disconnect(&endpoint).unwrap();
    let waiting = client.call::<String, _>("hello", ("Charly",)).timeout(Duration::from_millis(50));
    let error = soon(waiting).await.unwrap_err();
    assert!(matches!(error, CallError::NotExecuted(_)), "{error}");
    let error = soon(open).await.unwrap().unwrap_err();
    assert!(matches!(error, CallError::Unknown(_)), "it had left: {error}");
    until(|| server.stats().sessions == 0).await;
}

/// A link whose handshake is going on when it is disconnected never becomes a session.
async fn a_disconnect_in_a_handshake_leaves_no_session<R: Runtime>() {
    let (server, endpoint) = crate::server::<R>("tcp://127.0.0.1:0").await;
    let begun = AtomicUsize::new(0);
    for round in 0..4 * tries() {
        let client = new_client::<R>(Options::client("service"));
        client.connect(&endpoint).unwrap();
        for _ in 0..round % 20 {
            yield_now().await;
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
