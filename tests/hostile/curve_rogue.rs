//! Attacks on clients of CURVE, by who says to be their server (RFC 26).

use crate::curve::{Keyed, mallory};
use crate::rogue::Rogue;
use crate::secured::{curve_client, curve_server, keys, server_pair, stranger_pair};
use pseud::proto::{Incompatible, Insecure, Malformed, Misbehaved, PeerError};
use pseud::{
    Authenticator, Client, ConnectionEvent, Events, Fault, Options, Reason, Server, Verdict,
};
use pseud_testkit::raw::forger::{ready_numbered, weak_keys, welcome};
use pseud_testkit::raw::{COMMAND, command, greeting_of, metadata};
use pseud_testkit::raw::{PATIENCE, RawPeer};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::timeout;

async fn rogue() -> Rogue {
    let honest = curve_server(&Arc::default()).identity("honest");
    Rogue::between(honest, curve_client("rogue")).await
}

/// A link of the victim's, and its HELLO's data.
async fn hello(rogue: &Rogue) -> (RawPeer, Vec<u8>) {
    let mut wire = rogue.greeted(&greeting_of("CURVE")).await;
    let hello = wire.frame().await;
    assert!(hello.flags == COMMAND && hello.body.starts_with(b"\x05HELLO"));
    (wire, hello.body[6..].to_vec())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_02_a_server_that_goes_after_hello() {
    let rogue = rogue().await;
    let (mut wire, _) = hello(&rogue).await;
    assert_eq!(wire.finish().await, b"");
    assert_eq!(rogue.end(&wire).await, Reason::PeerFault(Insecure::HelloRefused.into()));
    let (wire, _) = hello(&rogue).await;
    rogue.refuses(wire, &command("WELCOME", &[7; 160]), Insecure::Box).await;
    rogue.over(&[]).await;
}

/// By whoever has the server's secret key: the traffic does not become readable to everybody else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_03_a_weak_transient_key_of_the_server() {
    let rogue = rogue().await;
    for weak in weak_keys() {
        let (wire, hello) = hello(&rogue).await;
        let welcome = command("WELCOME", &welcome(&hello, &keys(&server_pair()), &weak));
        rogue.refuses(wire, &welcome, Insecure::WeakKey).await;
    }
    rogue.over(&[]).await;
}

/// The key that a victim was given is the attacker's choice: not even HELLO is sealed with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_03_a_weak_key_of_the_server() {
    let keyed = Keyed::new().await;
    for weak in weak_keys() {
        let options = Options::client("service")
            .curve_client(stranger_pair(), [pseud::PublicKey::from_bytes(weak)]);
        let client = Client::with(options).unwrap();
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
            ConnectionEvent::Refused { error, .. } => return error,
            ConnectionEvent::Ready { .. } => panic!("it came in"),
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_10_commands_out_of_turn_to_a_client() {
    let rogue = rogue().await;
    let transient = keys(&stranger_pair()).public;
    for (name, data) in [("READY", &[0; 30][..]), ("INITIATE", &[0; 300]), ("MESSAGE", &[0; 30])] {
        let (wire, _) = hello(&rogue).await;
        rogue.refuses(wire, &command(name, data), Misbehaved::UnexpectedCommand).await;
    }
    for (name, why) in [
        ("WELCOME", PeerError::from(Misbehaved::UnexpectedCommand)),
        // Its number is none that a first command has.
        ("READY", Insecure::Gap.into()),
        ("ERROR", Malformed::BadCommand.into()),
    ] {
        let (mut wire, hello) = hello(&rogue).await;
        let welcome = command("WELCOME", &welcome(&hello, &keys(&server_pair()), &transient));
        wire.send(&welcome).await;
        assert!(wire.frame().await.body.starts_with(b"\x08INITIATE"));
        rogue.refuses(wire, &command(name, &[9; 160]), why).await;
    }
    rogue.over(&[]).await;
}

/// By whoever has the server's secret key.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_11_a_ready_that_is_not_the_servers_first() {
    let rogue = rogue().await;
    let transient = keys(&stranger_pair());
    for (number, why) in [(0, Insecure::Replay), (2, Insecure::Gap), (u64::MAX, Insecure::Gap)] {
        let (mut wire, hello) = hello(&rogue).await;
        wire.send(&command("WELCOME", &welcome(&hello, &keys(&server_pair()), &transient.public)))
            .await;
        assert!(wire.frame().await.body.starts_with(b"\x08INITIATE"));
        let block = metadata("ROUTER", "rogue");
        let ready = command("READY", &ready_numbered(number, &hello, &transient, &block));
        rogue.refuses(wire, &ready, why).await;
    }
    rogue.over(&[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_16_two_clients() {
    let rogue = rogue().await;
    let (wire, _) = hello(&rogue).await;
    let hello = command("HELLO", &mallory().hello());
    rogue.refuses(wire, &hello, Misbehaved::UnexpectedCommand).await;
    let binds = Client::with(curve_client("nobody")).unwrap();
    let endpoint = binds.bind("tcp://127.0.0.1:0").await.unwrap();
    let mut events = binds.events();
    let connects = Client::with(curve_client("nobody")).unwrap();
    let mut others = connects.events();
    connects.connect(&endpoint).unwrap();
    for seen in [&mut events, &mut others] {
        assert_eq!(next_refusal(seen).await, Misbehaved::UnexpectedCommand.into());
    }
    rogue.over(&[]).await;
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
    let other = Server::with(curve_server(&Arc::default())).unwrap();
    let mut events = other.events();
    other.connect(&keyed.endpoint()).unwrap();
    assert_eq!(next_refusal(&mut events).await, Misbehaved::HandshakeIncomplete.into());
    keyed.over(0, 0, &[]).await;
}

/// Who connects and who binds does not matter.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_16_a_server_that_connects_to_a_client_that_binds() {
    let server = Server::with(curve_server(&Arc::default())).unwrap();
    server.register_sync("answer", |_| Ok::<_, Fault>(42)).unwrap();
    let client = Client::with(curve_client("service")).unwrap();
    server.connect(&client.bind("tcp://127.0.0.1:0").await.unwrap()).unwrap();
    timeout(PATIENCE, client.ready()).await.unwrap();
    assert_eq!(client.call::<u32, _>("answer", ()).await.unwrap(), 42);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_16_a_denied_client_comes_again() {
    let asked = AtomicU64::new(0);
    let judge = Authenticator::new(move |_| {
        std::future::ready(match asked.fetch_add(1, Ordering::Relaxed) {
            0 => Verdict::Deny,
            1 => Verdict::Unavailable,
            _ => Verdict::Admit("canary".into()),
        })
    });
    let server = Server::with(Options::server("service").curve_server([server_pair()], judge));
    let server = server.unwrap();
    let endpoint = server.bind("tcp://127.0.0.1:0").await.unwrap();
    server.register_sync("answer", |_| Ok::<_, Fault>(42)).unwrap();
    let mut options = curve_client("service");
    options.retry.max = Duration::from_millis(50);
    let client = Client::with(options).unwrap();
    let mut events = client.events();
    client.connect(&endpoint).unwrap();
    for code in [400, 500] {
        assert_eq!(next_refusal(&mut events).await, Incompatible::Refused(code).into());
    }
    timeout(PATIENCE, client.ready()).await.unwrap();
    assert_eq!(client.call::<u32, _>("answer", ()).await.unwrap(), 42);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_17_a_key_from_the_wire_is_no_servers_key() {
    let rogue = rogue().await;
    let middle = keys(&stranger_pair());
    let (wire, hello) = hello(&rogue).await;
    let welcome = command("WELCOME", &welcome(&hello, &middle, &middle.public));
    rogue.refuses(wire, &welcome, Insecure::Box).await;
    // Nor where it is said as a property.
    let (wire, _) = self::hello(&rogue).await;
    let data = [metadata("ROUTER", "rogue"), middle.public.to_vec()].concat();
    rogue.refuses(wire, &command("WELCOME", &data), Malformed::BadCommand).await;
    rogue.over(&[]).await;
}
