//! HELLOs that a server of CURVE does not answer (RFC 26 §HELLO).

use crate::curve::{Keyed, mallory};
use crate::secured::{keys, stranger_pair};
use pseud::proto::{Insecure, Misbehaved, PeerError};
use pseud_testkit::raw::command;
use pseud_testkit::raw::forger::{Forger, weak_keys};

/// Is refused behind that command; nobody is asked about whoever sent it.
async fn refused(keyed: &Keyed, name: &str, data: &[u8], why: impl Into<PeerError>) {
    keyed.bench.refuses(keyed.greeted().await, &command(name, data), why).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_01_hello_of_another_shape() {
    let keyed = Keyed::new().await;
    let good = mallory().hello();
    refused(&keyed, "HELLO", &good[..193], Insecure::Hello).await;
    refused(&keyed, "HELLO", &[&good[..], b"\0"].concat(), Insecure::Hello).await;
    refused(&keyed, "HELLO", b"", Insecure::Hello).await;
    refused(&keyed, "HELLo", &good, Misbehaved::UnexpectedCommand).await;
    for (at, byte) in [(0, 2), (0, 0), (1, 1), (2, 1), (73, 1)] {
        let mut changed = good.clone();
        changed[at] = byte;
        refused(&keyed, "HELLO", &changed, Insecure::Hello).await;
    }
    let mut content = [0; 64];
    content[63] = 1;
    refused(&keyed, "HELLO", &mallory().hello_around(&content), Insecure::Hello).await;
    keyed.over(0, 0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_02_hello_for_another_server_or_with_a_wrong_box() {
    let keyed = Keyed::new().await;
    for at in [74, 105, 106, 113, 114, 193] {
        let mut changed = mallory().hello();
        changed[at] ^= 1;
        refused(&keyed, "HELLO", &changed, Insecure::Box).await;
    }
    let astray = Forger { server_key: keys(&stranger_pair()).public, ..mallory() };
    refused(&keyed, "HELLO", &astray.hello(), Insecure::Box).await;
    keyed.over(0, 0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_03_a_weak_transient_key() {
    let keyed = Keyed::new().await;
    for weak in weak_keys() {
        let mut hello = mallory().hello();
        hello[74..106].copy_from_slice(&weak);
        refused(&keyed, "HELLO", &hello, Insecure::WeakKey).await;
    }
    keyed.over(0, 0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_05_hello_again() {
    let keyed = Keyed::new().await;
    let mut forger = mallory();
    let wire = keyed.welcomed(&mut forger).await;
    let again = command("HELLO", &forger.hello());
    keyed.bench.refuses(wire, &again, Misbehaved::UnexpectedCommand).await;
    keyed.over(0, 0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_06_anything_else_before_hello() {
    let keyed = Keyed::new().await;
    let mut forger = mallory();
    drop(keyed.welcomed(&mut forger).await);
    let initiate = forger.initiate(&forger.good_vouch(), b"");
    for (name, data) in [
        ("INITIATE", &initiate[..]),
        ("WELCOME", &[0; 160]),
        ("READY", b""),
        ("MESSAGE", &forger.message(3, b"\0x")[8..]),
        ("ERROR", b"\x03400"),
    ] {
        refused(&keyed, name, data, Misbehaved::UnexpectedCommand).await;
    }
    keyed.over(0, 0, &[]).await;
}
