//! S-01: somebody on the path deletes, doubles or swaps sealed frames between a client and a server
//! that are both honest, in turn each frame of a conversation. He needs no key for it.

use crate::bench::end_of;
use crate::curve::Keyed;
use crate::secured::{mallory_pair, server_pair};
use pseud::proto::Insecure;
use pseud::proto::zmtp::ConnectionConfig;
use pseud::{CallError, Client, Fault, Options, Reason, Request};
use pseud_testkit::path::{Change, Relay};
use pseud_testkit::path::{EDITS, Edit, numbers};
use pseud_testkit::raw::PATIENCE;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::timeout;

/// HELLO and INITIATE, or WELCOME and READY.
const HANDSHAKE: usize = 2;
/// Frames that each side sends besides a probe and heartbeats: four calls or their answers, and a
/// call back or its answer.
const FRAMES: usize = 5 * 5;

/// What handlers ran: which, with what.
type Ran = Arc<Mutex<Vec<(&'static str, u64)>>>;

/// PINGs come often: by them the loss of a last frame is seen.
fn hasty(connection: &mut ConnectionConfig) {
    connection.heartbeat.interval = Some(Duration::from_millis(50));
}

/// A handler that says that it runs, and returns what no other call gets.
fn run(ran: &Ran, name: &'static str, request: &Request) -> Result<u64, Fault> {
    let (payload,): (u64,) = request.args()?;
    ran.lock().unwrap_or_else(PoisonError::into_inner).push((name, payload));
    Ok(answer(name, payload))
}

fn answer(name: &str, payload: u64) -> u64 {
    payload * 1_000 + name.len() as u64
}

/// A server for all of them, with its canary.
async fn server(ran: &Ran) -> Keyed {
    let keyed = Keyed::with(|options| hasty(&mut options.connection)).await;
    for name in ["balance", "delete"] {
        let ran = ran.clone();
        keyed.bench.server.register_sync(name, move |request| run(&ran, name, &request)).unwrap();
    }
    let ran = ran.clone();
    let pay = move |request: Request| {
        let ran = ran.clone();
        async move {
            let paid = run(&ran, "pay", &request)?;
            let (payload,): (u64,) = request.args()?;
            let call = request.caller().call::<u64, _>("confirm", (payload,));
            check(&ran, "confirm", payload, call.timeout(Duration::from_secs(2)).await);
            Ok::<_, Fault>(paid)
        }
    };
    keyed.bench.server.register("pay", pay).unwrap();
    keyed
}

/// One life of a link: four calls at once, one of which calls back. What was said, and why the server
/// and the client ended it.
async fn live(keyed: &Keyed, ran: &Ran, change: Change) -> (Vec<u8>, Vec<u8>, Reason, Reason) {
    ran.lock().unwrap_or_else(PoisonError::into_inner).clear();
    let relay = Relay::to(keyed.bench.address, change).await;
    let mut options =
        Options::client("service").curve_client(mallory_pair(), [*server_pair().public()]);
    hasty(&mut options.connection);
    let client = Client::with_options(options).unwrap();
    let runs = ran.clone();
    client.register_sync("confirm", move |request| run(&runs, "confirm", &request)).unwrap();
    let (mut events, endpoint) = (client.events(), format!("tcp://{}", relay.address));
    client.connect(&endpoint).unwrap();
    let call = async |name: &'static str, payload: u64| {
        let call = client.call::<u64, _>(name, (payload,)).timeout(Duration::from_secs(2));
        check(ran, name, payload, timeout(PATIENCE, call).await.expect("no outcome"));
    };
    tokio::join!(call("balance", 1), call("balance", 2), call("pay", 3), call("delete", 4));
    if matches!(change, Change::Nothing) {
        client.disconnect(&endpoint).unwrap();
    }
    let address = relay.address;
    let carried = relay.carried().await;
    let ended = (keyed.bench.end_at(carried.seen_at).await, end_of(&mut events, address).await);
    (carried.up, carried.down, ended.0, ended.1)
}

/// Whether what became of a call is true.
fn check(ran: &Ran, name: &'static str, payload: u64, outcome: Result<u64, CallError>) {
    let ran = ran.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let runs = ran.iter().filter(|ran| **ran == (name, payload)).count();
    match outcome {
        Ok(value) => assert_eq!((value, runs), (answer(name, payload), 1), "{name} {payload}"),
        Err(CallError::Unknown(_)) => assert!(runs <= 1, "{name} {payload} ran {runs} times"),
        Err(error) if error.is_retry_safe() => {
            assert_eq!(runs, 0, "{name} {payload} ran, and is said not to: {error}");
        }
        Err(error) => panic!("{name} {payload} ended as {error:?}"),
    }
}

/// Every edit of every frame of that direction; `told` picks why the side ends that they come to.
async fn every_frame(change: fn(usize, Edit) -> Change, told: fn((Reason, Reason)) -> Reason) {
    let ran = Ran::default();
    let keyed = server(&ran).await;
    let mut lives = 0;
    for (index, edit) in (HANDSHAKE..HANDSHAKE + FRAMES).flat_map(|at| EDITS.map(|it| (at, it))) {
        let (.., ours, theirs) = live(&keyed, &ran, change(index, edit)).await;
        let why = if edit == Edit::Double { Insecure::Replay } else { Insecure::Gap };
        let why = Reason::PeerFault(why.into());
        assert_eq!(told((ours, theirs)), why, "{index} {edit:?}");
        keyed.bench.canary().await;
        lives += 1;
    }
    assert_eq!(lives, FRAMES * EDITS.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s_01_each_frame_of_a_client_deleted_doubled_or_swapped() {
    every_frame(Change::UpFrame, |(ours, _)| ours).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s_01_each_frame_of_a_server_deleted_doubled_or_swapped() {
    every_frame(Change::DownFrame, |(_, theirs)| theirs).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_that_nobody_edits_counts_by_one() {
    let ran = Ran::default();
    let keyed = server(&ran).await;
    let (up, down, ours, _) = live(&keyed, &ran, Change::Nothing).await;
    assert_eq!(ours, Reason::PeerGone);
    let mut all = ran.lock().unwrap_or_else(PoisonError::into_inner).clone();
    all.sort_unstable();
    assert_eq!(all, [("balance", 1), ("balance", 2), ("confirm", 3), ("delete", 4), ("pay", 3)]);
    let (up, down) = (numbers(&up), numbers(&down));
    assert!(up.len() >= HANDSHAKE + FRAMES && down.len() >= HANDSHAKE + FRAMES);
    for (numbers, which) in [(&up[..], "up"), (&down[1..], "down")] {
        assert!(numbers.iter().copied().eq((1..).map(Some).take(numbers.len())), "{which}");
    }
}
