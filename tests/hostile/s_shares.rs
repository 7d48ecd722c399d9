//! What a node has for all is shared: threads for handlers that block (S-04, S-07), and memory that is given back
//! when those leave who had it taken (S-03).

use crate::alone::alone;
use crate::bench::Bench;
use crate::memory::live;
use pseud::{Client, Fault, Options, Server};
use pseud_testkit::raw::{PATIENCE, RawPeer, works};
use socket2::SockRef;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// Handlers that block until they are let, also by a test that has failed: how many were begun.
#[derive(Default)]
struct Blocked {
    begun: Arc<AtomicUsize>,
    gate: Arc<(Mutex<bool>, Condvar)>,
}

impl Drop for Blocked {
    /// A runtime waits for its threads.
    fn drop(&mut self) {
        self.release();
    }
}

impl Blocked {
    /// `block`, and `glance`, which needs a thread and blocks nobody.
    fn register(bench: &Bench) -> Self {
        let this = Self::default();
        let (begun, gate) = (this.begun.clone(), this.gate.clone());
        let block = move |_| {
            begun.fetch_add(1, Ordering::SeqCst);
            let (is_open, opened) = &*gate;
            let is_shut = |is_open: &mut bool| !*is_open;
            drop(opened.wait_while(is_open.lock().unwrap(), is_shut).unwrap());
            Ok::<_, Fault>(())
        };
        bench.server.register_blocking("block", block).unwrap();
        bench.server.register_blocking("glance", |_| Ok::<_, Fault>(7)).unwrap();
        this
    }

    fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    /// Lets all of them end, and those that come.
    fn release(&self) {
        *self.gate.0.lock().unwrap() = true;
        self.gate.1.notify_all();
    }
}

async fn honest(bench: &Bench) -> Client {
    let client = Client::new("service").unwrap();
    client.connect(&format!("tcp://{}", bench.address)).unwrap();
    timeout(PATIENCE, client.ready()).await.unwrap();
    client
}

/// A handler of the honest peer's begins at once, though it needs a thread.
async fn glances(client: &Client) {
    let glance = client.call::<u32, _>("glance", ());
    assert_eq!(timeout(Duration::from_secs(1), glance).await.expect("it waits").unwrap(), 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s_07_a_peer_with_a_thousand_blocking_calls_leaves_threads_to_others() {
    let bench = Bench::new().await;
    let (blocked, honest) = (Blocked::register(&bench), honest(&bench).await);
    let mut wire = bench.peer().await;
    wire.send(&works("block", 1_000)).await;
    bench.until(|stats| stats.requests_open == 1_000 && blocked.begun() > 0).await;
    bench
        .until(|stats| {
            let (running, waiting) = (stats.blocking_running, stats.blocking_waiting);
            running == blocked.begun() && running + waiting == 1_000
        })
        .await;
    for _ in 0..20 {
        glances(&honest).await;
    }
    assert!(blocked.begun() < 1_000, "they share what there is: {}", blocked.begun());
    blocked.release();
    bench.until(|stats| stats.requests_open == 0).await;
    assert_eq!(blocked.begun(), 1_000, "each was served in the end");
    bench.canary().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s_07_one_thread_for_blocking_handlers_is_one() {
    let bench = Bench::with(|options| options.config.limits.blocking_max = 1).await;
    let blocked = Blocked::register(&bench);
    let (mut wire, mut other) = (bench.peer().await, bench.peer().await);
    wire.send(&works("block", 8)).await;
    other.send(&works("block", 8)).await;
    bench.until(|stats| (stats.blocking_running, stats.blocking_waiting) == (1, 15)).await;
    // Who leaves takes along what waits.
    drop(other);
    bench.until(|stats| stats.blocking_running + stats.blocking_waiting <= 9).await;
    blocked.release();
    bench.until(|stats| (stats.blocking_running, stats.blocking_waiting) == (0, 0)).await;
    bench.canary().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s_04_peers_that_block_and_leave_take_their_queues_along() {
    const PEERS: usize = 17;
    let bench = Bench::new().await;
    let (blocked, honest) = (Blocked::register(&bench), honest(&bench).await);
    for _ in 0..5 {
        let mut wires: Vec<RawPeer> = Vec::new();
        for _ in 0..PEERS {
            let mut wire = bench.peer().await;
            wire.send(&works("block", 1_000)).await;
            wires.push(wire);
            glances(&honest).await;
        }
        bench.canary().await;
        wires.into_iter().for_each(RawPeer::reset);
        bench.until(|stats| stats.sessions == 2).await;
        // What counts is what was begun: what waited for a thread has gone with its peer.
        bench.until(|stats| stats.requests_open <= blocked.begun()).await;
        glances(&honest).await;
    }
    let begun = blocked.begun();
    assert!(begun <= 512, "{begun} at once");
    blocked.release();
    bench.until(|stats| stats.requests_open == 0).await;
    assert_eq!(blocked.begun(), begun, "nothing of who had left is begun");
    glances(&honest).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s_03_what_peers_that_do_not_read_had_is_given_back() {
    let test = "s_shares::s_03_what_peers_that_do_not_read_had_is_given_back";
    alone(test, 1_000, leave_much_behind).await;
}

async fn leave_much_behind() {
    const PEERS: usize = 8;
    const REQUESTS: usize = 30_000;
    let bench = Bench::with(|options| {
        // All of them are served, however many are read at once.
        options.config.limits.requests_open_per_peer_max = 1 << 20;
        options.config.limits.requests_open_max = 1 << 22;
        options.config.limits.queue_bytes_hard_max = 256 << 20;
        options.config.limits.queue_bytes_total_max = 512 << 20;
        // However slow this machine is.
        options.connection.progress.window = Duration::from_secs(3_600);
    })
    .await;
    let answered = Arc::new(AtomicUsize::new(0));
    let count = answered.clone();
    // More of them than the sockets' buffers hold.
    let answer = move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        Ok::<_, Fault>("x".repeat(400))
    };
    bench.server.register_sync("answer", answer).unwrap();
    let requests = works("answer", 1_000);
    let (before, _) = live();
    for round in 1..=2 {
        let mut wires: Vec<RawPeer> = Vec::new();
        for _ in 0..PEERS {
            // It takes answers however late: a v1 peer would be shown out when its time is up.
            let mut wire = bench.peer_declaring("1;caps=7").await;
            // What it was sent waits at the server.
            SockRef::from(&wire.stream).set_recv_buffer_size(4 << 10).unwrap();
            for _ in 0..REQUESTS / 1_000 {
                wire.send(&requests).await;
            }
            wires.push(wire);
            bench.canary().await;
        }
        let all = round * PEERS * REQUESTS;
        bench.until(|_| answered.load(Ordering::SeqCst) == all).await;
        let stats = bench.stats();
        assert!(stats.queued_bytes > PEERS * (4 << 20), "{stats:?}");
        bench.canary().await;
        wires.into_iter().for_each(RawPeer::reset);
        bench.until(|stats| stats.sessions == 1 && stats.queued_bytes == 0).await;
        assert_eq!(bench.stats().requests_open, 0);
        for _ in 0..100 {
            bench.canary().await;
        }
        let (after, peak) = live();
        assert!(peak > before + PEERS * (4 << 20), "{before} {peak}");
        assert!(after < before + (1 << 20), "{before} before, {after} after");
    }
}

/// On one thread: each keeps buffers to read into from its first link on.
#[tokio::test]
async fn s_02_what_many_at_once_had_in_their_handshakes_is_given_back() {
    let test = "s_shares::s_02_what_many_at_once_had_in_their_handshakes_is_given_back";
    alone(test, 2_000, shake_hands_and_leave).await;
}

async fn shake_hands_and_leave() {
    let mut options = Options::server("service");
    // None is dropped for being one of many.
    options.admission.strangers.handshakes_drop_from = MANY;
    options.admission.strangers.handshakes_max = MANY + 1;
    let server = Server::with_options(options).unwrap();
    let endpoint = server.bind("tcp://127.0.0.1:0").await.unwrap();
    let address = endpoint.trim_start_matches("tcp://").to_owned();
    // What few have, the thread's buffers among it, is there before.
    let mut before = usize::MAX;
    for count in [8, 8, MANY] {
        let mut streams = Vec::with_capacity(MANY);
        for _ in 0..count {
            streams.push(TcpStream::connect(&address).await.unwrap());
        }
        until(|| server.stats().strangers.handshakes == count).await;
        drop(streams);
        until(|| server.stats().strangers.handshakes == 0).await;
        if count < MANY {
            before = live().0;
        }
    }
    // A place of each in a table would be 150 bytes at least.
    let given_back = || live().0 < before + 50 * MANY;
    until(given_back).await;
}

/// At once in their handshakes.
const MANY: usize = 400;

async fn until(done: impl Fn() -> bool) {
    let wait = async {
        while !done() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, wait).await.expect("it comes about");
}
