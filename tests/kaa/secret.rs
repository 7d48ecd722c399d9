//! Who does not know the secret is told of, on both sides, and tried again.

use crate::{SECRET, client_with, retrying, soon};
use pseud::proto::Insecure;
use pseud::tokio::kaa::{Client, Options, Server};
use pseud::{CallError, ConnectionEvent, Fault, PeerError, Reason};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn a_wrong_secret_is_told_on_both_sides() {
    let server = Server::new(SECRET).unwrap();
    let mut refused = server.events();
    let address = server.bind("127.0.0.1:0").await.unwrap();
    let client = Client::with_options(retrying("another")).unwrap();
    let mut failed = client.events();
    client.connect(&address).unwrap();
    let error = loop {
        if let Some(ConnectionEvent::HandshakeFailed { error, .. }) = soon(refused.next()).await {
            break error;
        }
    };
    assert_eq!(error, PeerError::Insecure(Insecure::WrongSecret));
    let secret = PeerError::Insecure(Insecure::SecretRefused);
    let error = loop {
        if let Some(ConnectionEvent::HandshakeFailed { error, .. }) = soon(failed.next()).await {
            break error;
        }
    };
    assert_eq!(error, secret);
    assert!(error.to_string().contains("secret"), "{error}");
    // Told as soon as the link is refused, whatever the call's time-out.
    let ended = soon(client.call::<i64, _>("add", (1, 2)).timeout(HOUR)).await;
    let reason = Reason::PeerFault(secret);
    assert!(matches!(&ended, Err(CallError::NotExecuted(told)) if *told == reason), "{ended:?}");
    assert!(!client.is_connected());
}

#[tokio::test]
async fn a_client_goes_on_until_the_secret_is_right() {
    let wrong = Server::new("another").unwrap();
    let address = wrong.bind("127.0.0.1:0").await.unwrap();
    let mut refused = wrong.events();
    let client = client_with(retrying(SECRET), &address);
    let waited = soon(client.call::<i64, _>("one", ())).await;
    assert!(matches!(waited, Err(CallError::NotExecuted(Reason::PeerFault(_)))), "{waited:?}");
    while !matches!(soon(refused.next()).await, Some(ConnectionEvent::HandshakeFailed { .. })) {}
    wrong.unbind(&address).unwrap();
    let right = Server::new(SECRET).unwrap();
    right.register("one", |_| async { Ok::<_, Fault>(1) }).unwrap();
    right.bind(&address).await.unwrap();
    soon(client.ready()).await;
    assert_eq!(soon(client.call::<i64, _>("one", ())).await.unwrap(), 1);
}

#[tokio::test]
async fn an_empty_secret_is_one_as_well() {
    let server = Server::new("").unwrap();
    server.register("one", |_| async { Ok::<_, Fault>(1) }).unwrap();
    let address = server.bind("127.0.0.1:0").await.unwrap();
    let client = client_with(Options::new(""), &address);
    assert_eq!(soon(client.call::<i64, _>("one", ())).await.unwrap(), 1);
}

#[tokio::test]
async fn n_05_nothing_crosses_a_network_in_clear_unasked() {
    let server = Server::new(SECRET).unwrap();
    let error = server.bind("0.0.0.0:0").await.unwrap_err();
    assert!(
        error.to_string().contains("kaa.rpc") && error.to_string().contains("clear"),
        "{error}"
    );
    let client = Client::new(SECRET).unwrap();
    assert!(client.connect("192.0.2.1:1").is_err());
    let open = Server::with_options(Options::new(SECRET).allow_plaintext(true)).unwrap();
    open.bind("0.0.0.0:0").await.unwrap();
}
