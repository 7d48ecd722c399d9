//! Who asks for much at once gets it a turn at a time, on this wire as on ZMTP (S-06, S-10).

use crate::{SECRET, client, client_with, soon};
use pseud::tokio::kaa::{Client, Options, Server};
use pseud::{Fault, Registry};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

const GREEDY: usize = 4;
const EACH: usize = 500;

async fn ready(client: &Client) {
    assert_eq!(soon(client.call::<i64, _>("spy", ())).await.unwrap(), 7);
}

/// Counted in calls, not in time: a turn of 200 µs has ten calls of 20 µs each, or a few more. One thread
/// serves both wires, and is held until all have asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s_06_a_quiet_peer_of_another_wire_waits_for_a_turn_of_each_greedy_one() {
    let (slow, quiet) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let ((holds, held), (release, released)) = (channel(), channel());
    let registry = Registry::new();
    let released = Mutex::new(released);
    registry
        .register_sync("hold", move |_| {
            holds.send(()).unwrap();
            released.lock().unwrap().recv_timeout(Duration::from_secs(20)).unwrap();
            Ok::<_, Fault>(())
        })
        .unwrap();
    let count = slow.clone();
    registry
        .register_sync("slow", move |_| {
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_micros(20) {}
            count.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Fault>(())
        })
        .unwrap();
    let (count, seen) = (slow.clone(), quiet.clone());
    registry
        .register_sync("spy", move |_| {
            seen.store(count.load(Ordering::Relaxed), Ordering::Relaxed);
            Ok::<_, Fault>(7)
        })
        .unwrap();
    let (bound, addresses) = oneshot::channel();
    let (_stop, stopped) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(async move {
            let options = pseud::Options::server("service").registry(registry.clone());
            let zmtp = pseud::Server::with_options(options).unwrap();
            let endpoint = zmtp.bind("tcp://127.0.0.1:0").await.unwrap();
            let kaa = Server::with_options(Options::new(SECRET).registry(registry)).unwrap();
            let address = kaa.bind("127.0.0.1:0").await.unwrap();
            bound.send((endpoint, address)).unwrap();
            let _ = stopped.await;
        });
    });
    let (endpoint, address) = addresses.await.unwrap();
    let patient = || Options::new(SECRET).call_timeout(Duration::from_secs(15));
    let greedy: [Client; GREEDY] = std::array::from_fn(|_| client_with(patient(), &address));
    for client in &greedy {
        ready(client).await;
    }
    let other = pseud::Client::new("service").unwrap();
    other.connect(&endpoint).unwrap();
    soon(other.call::<i64, _>("spy", ())).await.unwrap();
    let holder = client(&address);
    ready(&holder).await;

    let holding = tokio::spawn(holder.call::<(), _>("hold", ()));
    held.recv_timeout(Duration::from_secs(20)).unwrap();
    let calls = greedy.iter().flat_map(|client| (0..EACH).map(|_| client.call("slow", ())));
    let calls: Vec<_> =
        calls.map(|call| tokio::spawn(async { call.await as Result<(), _> })).collect();
    for client in &greedy {
        while client.stats().calls_pending < EACH {
            tokio::task::yield_now().await;
        }
    }
    let spy = tokio::spawn(other.call::<i64, _>("spy", ()));
    while other.stats().calls_pending < 1 {
        tokio::task::yield_now().await;
    }
    release.send(()).unwrap();
    assert_eq!(soon(spy).await.unwrap().unwrap(), 7);
    let before = quiet.load(Ordering::Relaxed);
    println!("{before} of {} calls were served before", GREEDY * EACH);
    assert!(before <= GREEDY * EACH / 4, "{before} calls of others were served before");
    for call in calls {
        soon(call).await.unwrap().unwrap();
    }
    soon(holding).await.unwrap().unwrap();
    assert_eq!(slow.load(Ordering::Relaxed), GREEDY * EACH);
}

/// Of one burst nothing is refused for having been read, and answers in one burst all come.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s_10_a_burst_of_instant_calls_is_all_served() {
    const CALLS: usize = 1_000;
    for (per_peer, all) in [(1_024, 16_384), (1, 1), (3, 2)] {
        let mut options = Options::new(SECRET);
        options.config.limits.requests_open_per_peer_max = per_peer;
        options.config.limits.requests_open_max = all;
        let server = Server::with_options(options).unwrap();
        server.register_sync("one", |_| Ok::<_, Fault>(1)).unwrap();
        let address = server.bind("127.0.0.1:0").await.unwrap();
        let client =
            client_with(Options::new(SECRET).call_timeout(Duration::from_secs(15)), &address);
        soon(client.call::<i64, _>("one", ())).await.unwrap();
        let calls = (0..CALLS).map(|_| tokio::spawn(client.call::<i64, _>("one", ())));
        for call in calls.collect::<Vec<_>>() {
            assert_eq!(soon(call).await.unwrap().unwrap(), 1);
        }
        assert_eq!(server.stats().requests_shed, 0, "{per_peer} of {all}");
    }
}
