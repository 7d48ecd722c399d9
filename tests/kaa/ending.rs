//! How links and nodes end.

use crate::{client, client_with, retrying, server, soon};
use pseud::tokio::kaa::Server;
use pseud::{CallError, ConnectionEvent, Fault, Reason};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

#[tokio::test]
async fn calls_before_there_is_a_server_wait_for_it() {
    let place = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = place.local_addr().unwrap().to_string();
    drop(place);
    let client = client_with(retrying("s3cret"), &address);
    let calls: Vec<_> =
        (0..5_i64).map(|number| tokio::spawn(client.call::<i64, _>("add", (number, 1)))).collect();
    let server = Server::new("s3cret").unwrap();
    server
        .register_typed("add", |(a, b): (i64, i64), _| async move { Ok::<_, Fault>(a + b) })
        .unwrap();
    server.bind(&address).await.unwrap();
    for (number, call) in (0..).zip(calls) {
        assert_eq!(soon(call).await.unwrap().unwrap(), number + 1);
    }
}

#[tokio::test]
async fn a_lost_link_ends_its_calls_and_a_new_one_is_opened() {
    let (server, address) = server().await;
    server.register("never", |_| std::future::pending::<Result<(), Fault>>()).unwrap();
    let client = client_with(retrying("s3cret"), &address);
    soon(client.ready()).await;
    let mut events = client.events();
    let call = tokio::spawn(client.call::<(), _>("never", ()));
    soon(client.call::<i64, _>("add", (1, 2))).await.unwrap();
    server.shutdown();
    assert!(matches!(soon(call).await.unwrap(), Err(CallError::Unknown(Reason::PeerGone))));
    while !matches!(soon(events.next()).await, Some(ConnectionEvent::Disconnected { .. })) {}
    let again = Server::new("s3cret").unwrap();
    again.register("one", |_| async { Ok::<_, Fault>(1) }).unwrap();
    again.bind(&address).await.unwrap();
    assert_eq!(soon(client.call::<i64, _>("one", ())).await.unwrap(), 1);
}

#[tokio::test]
async fn closing_lets_what_is_open_finish() {
    let (server, address) = server().await;
    let (begun, admission) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (begins, waits) = (begun.clone(), admission.clone());
    server
        .register("slow", move |_| {
            let (begins, waits) = (begins.clone(), waits.clone());
            async move {
                begins.notify_one();
                waits.notified().await;
                Ok::<_, Fault>("x".repeat(500_000))
            }
        })
        .unwrap();
    let client = client(&address);
    let call = tokio::spawn(client.call::<String, _>("slow", ()));
    soon(begun.notified()).await;
    let closing = tokio::spawn({
        let server = server.clone();
        async move { server.close(Duration::from_secs(10)).await }
    });
    admission.notify_one();
    assert_eq!(soon(call).await.unwrap().unwrap().len(), 500_000);
    soon(closing).await.unwrap();
}

#[tokio::test]
async fn a_client_that_shuts_down_ends_its_calls_as_closed() {
    let (server, address) = server().await;
    server.register("never", |_| std::future::pending::<Result<(), Fault>>()).unwrap();
    let client = client(&address);
    soon(client.ready()).await;
    let call = tokio::spawn(client.call::<(), _>("never", ()));
    soon(client.call::<i64, _>("add", (1, 2))).await.unwrap();
    client.shutdown();
    assert!(matches!(soon(call).await.unwrap(), Err(CallError::Closed { .. })));
}

#[tokio::test]
async fn strangers_and_garbage_end_their_own_links_alone() {
    let (_server, address) = server().await;
    let client = client(&address);
    soon(client.call::<i64, _>("add", (1, 2))).await.unwrap();
    for garbage in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xff; 2_000], &[0; 100]] {
        let mut stranger = TcpStream::connect(&address).await.unwrap();
        let _ = stranger.write_all(garbage).await;
        let mut rest = Vec::new();
        let _ = soon(stranger.read_to_end(&mut rest)).await;
        assert!(rest.len() <= 72, "it is told no more than a challenge");
        let sum: i64 = soon(client.call("add", (1, 2))).await.unwrap();
        assert_eq!(sum, 3);
    }
}
