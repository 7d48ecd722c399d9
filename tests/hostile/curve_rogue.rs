//! Clients of CURVE whose server is none, or not the one they know (RFC 26). What such a server says is in
//! `attacks`.

use crate::curve::Keyed;
use crate::secured::{curve_client, curve_server, server_pair, stranger_pair};
use pseud::proto::{Incompatible, Insecure, Misbehaved, PeerError};
use pseud::{
    Authenticator, Client, ConnectionEvent, Events, Fault, Options, Reason, Server, Verdict,
};
use pseud_testkit::raw::PATIENCE;
use pseud_testkit::raw::forger::weak_keys;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::timeout;

/// The key that a victim was given is the attacker's choice: not even HELLO is sealed with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_03_a_weak_key_of_the_server() {
    let keyed = Keyed::new().await;
    for weak in weak_keys() {
        let options = Options::client("service")
            .curve_client(stranger_pair(), [pseud::PublicKey::from_bytes(weak)]);
        let client = Client::with_options(options).unwrap();
        let mut events = client.events();
        client.connect(&keyed.endpoint()).unwrap();
        assert_eq!(next_refusal(&mut events).await, Insecure::WeakKey.into());
        keyed.bench.canary().await;
    }
    keyed.over(0, 0, &[]).await;
}

/// Why the next link ends, before it was ready.
async fn next_refusal(events: &mut Events) -> PeerError {
    loop {
        match timeout(PATIENCE, events.next()).await.expect("no refusal").unwrap() {
            ConnectionEvent::HandshakeFailed { error, .. } => return error,
            ConnectionEvent::Connected { .. } => panic!("it came in"),
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_16_two_clients() {
    let binds = Client::with_options(curve_client("nobody")).unwrap();
    let endpoint = binds.bind("tcp://127.0.0.1:0").await.unwrap();
    let mut events = binds.events();
    let connects = Client::with_options(curve_client("nobody")).unwrap();
    let mut others = connects.events();
    connects.connect(&endpoint).unwrap();
    for seen in [&mut events, &mut others] {
        assert_eq!(next_refusal(seen).await, Misbehaved::UnexpectedCommand.into());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_16_two_servers() {
    let short = Duration::from_millis(500);
    let keyed = Keyed::with(|options| options.connection.handshake_timeout = short).await;
    let mut wire = keyed.greeted().await;
    keyed.bench.canary().await;
    assert_eq!(wire.closed().await, b"");
    let late = Reason::PeerFault(Misbehaved::HandshakeTimeout.into());
    assert_eq!(keyed.bench.end(&wire).await, late);
    let other = Server::with_options(curve_server(&Arc::default())).unwrap();
    let mut events = other.events();
    other.connect(&keyed.endpoint()).unwrap();
    assert_eq!(next_refusal(&mut events).await, Misbehaved::HandshakeIncomplete.into());
    keyed.over(0, 0, &[]).await;
}

/// Who connects and who binds does not matter.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_16_a_server_that_connects_to_a_client_that_binds() {
    let server = Server::with_options(curve_server(&Arc::default())).unwrap();
    server.register_sync("answer", |_| Ok::<_, Fault>(42)).unwrap();
    let client = Client::with_options(curve_client("service")).unwrap();
    server.connect(client.bind("tcp://127.0.0.1:0").await.unwrap()).unwrap();
    timeout(PATIENCE, client.ready()).await.unwrap();
    assert_eq!(client.call::<u32, _>("answer", ()).await.unwrap(), 42);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_16_a_denied_client_comes_again() {
    let asked = AtomicU64::new(0);
    let check = Authenticator::new(move |_| {
        std::future::ready(match asked.fetch_add(1, Ordering::Relaxed) {
            0 => Verdict::Deny,
            1 => Verdict::Unavailable,
            _ => Verdict::Admit("canary".into()),
        })
    });
    let server =
        Server::with_options(Options::server("service").curve_server([server_pair()], check));
    let server = server.unwrap();
    let endpoint = server.bind("tcp://127.0.0.1:0").await.unwrap();
    server.register_sync("answer", |_| Ok::<_, Fault>(42)).unwrap();
    let mut options = curve_client("service");
    options.retry.max = Duration::from_millis(50);
    let client = Client::with_options(options).unwrap();
    let mut events = client.events();
    client.connect(&endpoint).unwrap();
    for code in [400, 500] {
        assert_eq!(next_refusal(&mut events).await, Incompatible::Refused(code).into());
    }
    timeout(PATIENCE, client.ready()).await.unwrap();
    assert_eq!(client.call::<u32, _>("answer", ()).await.unwrap(), 42);
}
