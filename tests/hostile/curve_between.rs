//! Somebody who hears all that a client and a server of CURVE say: replayed or changed, it is worth
//! nothing (RFC 26 §security).

use crate::bench::{Bench, end_of};
use crate::curve::Keyed;
use crate::rogue::{Rogue, catch};
use crate::secured::{
    canary_pair, curve_client, curve_server, mallory_pair, server_pair, stranger_pair,
};
use pseud::proto::{Insecure, Misbehaved, PeerError};
use pseud::{Client, Options, Reason};
use pseud_testkit::path::{CarriedLink, Change, Relay};
use pseud_testkit::raw::PATIENCE;
use pseud_testkit::raw::greeting;
use std::sync::Arc;
use tokio::time::timeout;

/// A client that the bench's server knows, and that is not the canary.
fn client() -> Client {
    let options =
        Options::client("service").curve_client(mallory_pair(), [*server_pair().public()]);
    Client::with_options(options).unwrap()
}

/// A call of the spy's, as somebody between the two heard it.
async fn overheard(keyed: &Keyed) -> CarriedLink {
    let relay = Relay::to(keyed.bench.address, Change::Nothing).await;
    let (client, endpoint) = (client(), format!("tcp://{}", relay.address));
    client.connect(&endpoint).unwrap();
    assert_eq!(timeout(PATIENCE, client.call::<u32, _>("spy", ())).await.unwrap().unwrap(), 7);
    client.disconnect(&endpoint).unwrap();
    relay.carried().await
}

/// Says all that the client said, once more.
async fn replayed(bench: &Bench, carried: &CarriedLink, why: Insecure) {
    let mut wire = bench.connect().await;
    wire.greeting().await;
    bench.refuses_aloud(wire, &carried.up, why).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_12_a_recorded_session_replayed_to_its_server_and_to_others() {
    let keyed = Keyed::new().await;
    let carried = overheard(&keyed).await;
    assert!(carried.up.len() > 600 && carried.down.len() > 400, "greetings, handshake, a call");
    assert_eq!(carried.up[..9], greeting()[..9]);
    replayed(&keyed.bench, &carried, Insecure::Cookie).await;

    let twin = Keyed::new().await;
    replayed(&twin.bench, &carried, Insecure::Cookie).await;
    twin.over(0, 0, &[]).await;

    let asked = Arc::default();
    let server = curve_server(&asked);
    let check = server.admission.authenticator.clone().unwrap();
    let canary =
        Options::client("service").curve_client(canary_pair(), [*stranger_pair().public()]);
    let another = Bench::between(server.curve_server([stranger_pair()], check), canary).await;
    replayed(&another, &carried, Insecure::Box).await;
    another.over(0, &[]).await;
    keyed.over(1, 1, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_12_a_recorded_server_replayed_to_its_client() {
    let keyed = Keyed::new().await;
    let carried = overheard(&keyed).await;
    let honest = curve_server(&Arc::default()).identity("honest");
    let rogue = Rogue::between(honest, curve_client("service")).await;
    let mut wire = catch(&rogue.trap().await).await;
    wire.greeting().await;
    wire.send(&carried.down[..64]).await;
    assert!(wire.frame().await.body.starts_with(b"\x05HELLO"));
    rogue.refuses(wire, &carried.down[64..], Insecure::Box).await;
    rogue.over(&[]).await;
    keyed.over(1, 1, &[]).await;
}

/// Where frames begin in what the client says, and in what the server says.
const HELLO: usize = 64;
const INITIATE: usize = HELLO + 2 + 200;
/// The client declares what it understands, and which link of its node this is, in 54 bytes of its
/// INITIATE.
const PROBE: usize = INITIATE + 9 + 292 + 54;
const WELCOME: usize = 64;
const READY: usize = WELCOME + 2 + 168;

/// Has one byte changed on its way. Both sides end the link, for those reasons: the server's and the
/// client's.
async fn changed(keyed: &Keyed, change: Change) -> (Reason, Reason) {
    let relay = Relay::to(keyed.bench.address, change).await;
    let (client, address) = (client(), relay.address);
    let mut events = client.events();
    client.connect(&format!("tcp://{address}")).unwrap();
    let theirs = end_of(&mut events, address).await;
    let ours = keyed.bench.end_at(relay.carried().await.seen_at).await;
    keyed.bench.canary().await;
    (ours, theirs)
}

fn fault(error: impl Into<PeerError>) -> Reason {
    Reason::PeerFault(error.into())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_17_a_byte_of_the_handshake_changed_on_its_way() {
    let keyed = Keyed::new().await;
    let incomplete = fault(Misbehaved::HandshakeIncomplete);
    for (change, ours, theirs) in [
        (Change::Up(HELLO + 8 + 80), fault(Insecure::Box), fault(Insecure::HelloRefused)),
        (Change::Up(HELLO + 8 + 120), fault(Insecure::Box), fault(Insecure::HelloRefused)),
        (Change::Up(INITIATE + 18 + 50), fault(Insecure::Cookie), incomplete),
        (Change::Up(INITIATE + 18 + 150), fault(Insecure::Box), incomplete),
        (Change::Down(WELCOME + 10 + 5), incomplete, fault(Insecure::Box)),
        (Change::Down(WELCOME + 10 + 50), incomplete, fault(Insecure::Box)),
        (Change::Down(READY + 8 + 20), Reason::PeerGone, fault(Insecure::Box)),
    ] {
        assert_eq!(changed(&keyed, change).await, (ours, theirs), "{change:?}");
    }
    keyed.over(1, 0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_13_a_byte_of_the_traffic_changed_on_its_way() {
    let keyed = Keyed::new().await;
    for at in [PROBE + 2 + 16, PROBE + 2 + 32] {
        let (ours, theirs) = changed(&keyed, Change::Up(at)).await;
        assert_eq!((ours, theirs), (fault(Insecure::Box), Reason::PeerGone), "{at}");
    }
    let (ours, theirs) = changed(&keyed, Change::Up(PROBE + 2 + 8)).await;
    assert_eq!((ours, theirs), (fault(Insecure::Gap), Reason::PeerGone), "a high number");
    keyed.over(3, 0, &[]).await;
}
