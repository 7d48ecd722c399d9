//! Peers that would have a secured link speak less than it must: nothing but our greeting is said
//! to them (RFC 37 §downgrade).

use crate::bench::Bench;
use crate::rogue::Rogue;
use crate::secured::{plain_client, plain_server};
use pseud::Reason;
use pseud::proto::{Incompatible, Insecure, Misbehaved};
use pseud_testkit::raw::RawPeer;
use pseud_testkit::raw::{greeting_of, greeting_with, ready, work};

#[cfg(feature = "_curve")]
use crate::secured::{curve_client, curve_server};

/// Benches whose servers speak a mechanism, with its name.
async fn benches() -> Vec<(&'static str, Bench)> {
    vec![
        ("PLAIN", Bench::between(plain_server([]), plain_client("service")).await),
        #[cfg(feature = "_curve")]
        ("CURVE", {
            let server = curve_server(&std::sync::Arc::default());
            Bench::between(server, curve_client("service")).await
        }),
    ]
}

/// Victims that speak a mechanism, with its name.
async fn rogues() -> Vec<(&'static str, Rogue)> {
    let plain = plain_server([]).identity("honest");
    vec![
        ("PLAIN", Rogue::between(plain, plain_client("rogue")).await),
        #[cfg(feature = "_curve")]
        ("CURVE", {
            let honest = curve_server(&std::sync::Arc::default()).identity("honest");
            Rogue::between(honest, curve_client("rogue")).await
        }),
    ]
}

/// A link of which our greeting was taken.
async fn connect(bench: &Bench) -> RawPeer {
    let mut wire = bench.connect().await;
    wire.greeting().await;
    wire
}

/// What does not begin as ZMTP 3 does. Its first byte is enough, or the first ten.
fn openings() -> Vec<Vec<u8>> {
    let call = work(b"sixteen bytes...", "spy");
    vec![
        vec![0x01],
        vec![0x00],
        [&b"\x01\x00"[..], &call].concat(),
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        greeting_with(9, &[0x7e])[..10].to_vec(),
    ]
}

/// Greetings of ZMTP 2.0, as far as their revision.
fn revisions() -> impl Iterator<Item = Vec<u8>> {
    (0..3).map(|revision| greeting_with(10, &[revision])[..11].to_vec())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_04_a_05_older_peers_of_a_server() {
    for (_, bench) in benches().await {
        for bytes in openings().into_iter().chain(revisions()) {
            bench.refuses(connect(&bench).await, &bytes, Insecure::Downgrade).await;
        }
        bench.over(0, &[]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_04_a_05_older_peers_of_a_client() {
    for (_, rogue) in rogues().await {
        for bytes in openings().into_iter().chain(revisions()) {
            rogue.refuses(rogue.greeted(b"").await, &bytes, Insecure::Downgrade).await;
        }
        rogue.over(&[]).await;
    }
}

/// Greetings of other mechanisms, with what would follow under NULL.
fn other_mechanisms(ours: &str, socket_type: &str) -> impl Iterator<Item = Vec<u8>> {
    let next = [ready(socket_type, ""), work(b"sixteen bytes...", "spy")].concat();
    let names = ["NULL", "PLAIN", "CURVE", "GSSAPI", ""].into_iter();
    let others = names.filter(move |name| *name != ours);
    others.map(move |name| [&greeting_of(name)[..], &next].concat())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_18_another_mechanism_to_a_server() {
    for (ours, bench) in benches().await {
        for bytes in other_mechanisms(ours, "DEALER") {
            let wire = connect(&bench).await;
            bench.refuses(wire, &bytes, Incompatible::MechanismMismatch).await;
        }
        bench.over(0, &[]).await;
    }
}

/// No credential is shown to whoever does not speak the mechanism.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_18_another_mechanism_to_a_client() {
    for (ours, rogue) in rogues().await {
        for bytes in other_mechanisms(ours, "ROUTER") {
            let wire = rogue.greeted(b"").await;
            rogue.refuses(wire, &bytes, Incompatible::MechanismMismatch).await;
        }
        rogue.over(&[]).await;
    }
}

/// Nor before it has named it and said the rest of its greeting.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_18_most_of_a_greeting_to_a_client() {
    for (ours, rogue) in rogues().await {
        for cut in [12, 17, 32, 63] {
            let mut wire = rogue.greeted(&greeting_of(ours)[..cut]).await;
            rogue.canary().await;
            assert_eq!(wire.finish().await, b"", "{cut}");
            let incomplete = Reason::PeerFault(Misbehaved::HandshakeIncomplete.into());
            assert_eq!(rogue.end(&wire).await, incomplete);
        }
        rogue.over(&[]).await;
    }
}
