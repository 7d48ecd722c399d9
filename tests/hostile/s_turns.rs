//! Who asks for much at once gets it a turn at a time: others have theirs in between, and nothing is
//! refused for having been read (S-06, S-10).

use crate::bench::Bench;
use pseud::proto::pseud::Dropped;
use pseud::{Fault, Server};
use pseud_testkit::raw::{OK, PATIENCE, RawPeer, fresh_id, greeting, ready, work, works};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// So many calls of the spy's in one burst; all are answered, in order.
async fn burst(wire: &mut RawPeer, count: usize) {
    let ids: Vec<_> = std::iter::repeat_with(fresh_id).take(count).collect();
    let requests: Vec<u8> = ids.iter().flat_map(|id| work(id, "spy")).collect();
    wire.send(&requests).await;
    for id in ids {
        assert_eq!(wire.answer().await, (id, OK, vec![7]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s_10_a_burst_of_instant_calls_at_an_idle_server_is_all_served() {
    const CALLS: usize = 2_000;
    for (per_peer, all) in [(1_024, 16_384), (1, 1), (3, 2), (1, 16_384), (5, 16_384)] {
        let bench = Bench::with(|options| {
            options.config.limits.requests_open_per_peer_max = per_peer;
            options.config.limits.requests_open_max = all;
        })
        .await;
        let mut wire = bench.peer().await;
        burst(&mut wire, CALLS).await;
        assert_eq!(bench.stats().requests_shed, 0, "{per_peer} of {all}");
        wire.reset();
        bench.over(CALLS as u64, &[]).await;
    }
}

/// What waits has its places; those that are left are enough for what does not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s_10_instant_calls_beside_some_that_wait() {
    const CALLS: usize = 500;
    let bench = Bench::with(|options| options.config.limits.requests_open_per_peer_max = 10).await;
    let mut wire = bench.peer().await;
    for waiting in 1..10_u64 {
        wire.call("wait").await;
        bench.until_spied(waiting + (waiting - 1) * CALLS as u64).await;
        burst(&mut wire, CALLS).await;
        bench.canary().await;
    }
    assert_eq!(bench.stats().requests_shed, 0);
    wire.reset();
    bench.over(9 + 9 * CALLS as u64, &[(Dropped::CallerGone, 9)]).await;
}

const GREEDY: usize = 8;
const EACH: usize = 500;

/// A server with one thread, which `hold` keeps from looking at its sockets.
struct OneThread {
    address: std::net::SocketAddr,
    held: Receiver<()>,
    release: std::sync::mpsc::Sender<()>,
    /// Closed at the end.
    _stop: oneshot::Sender<()>,
    /// How many slow calls were served, and how many had been when the quiet one was.
    slow: Arc<AtomicUsize>,
    quiet: Arc<AtomicUsize>,
}

impl OneThread {
    async fn start() -> Self {
        let (slow, quiet) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let ((holds, held), (release, released)) = (channel(), channel());
        let (bound, address) = oneshot::channel();
        let (_stop, mut stopped) = oneshot::channel();
        let (count, seen) = (slow.clone(), quiet.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async move {
                let server = Server::new("service").unwrap();
                let released = std::sync::Mutex::new(released);
                let hold = move |_| {
                    holds.send(()).unwrap();
                    released.lock().unwrap().recv_timeout(PATIENCE).unwrap();
                    Ok::<_, Fault>(())
                };
                server.register_sync("hold", hold).unwrap();
                let served = count.clone();
                let spin = move |_| {
                    let begun = Instant::now();
                    while begun.elapsed() < Duration::from_micros(20) {}
                    served.fetch_add(1, Ordering::Relaxed);
                    Ok::<_, Fault>(())
                };
                server.register_sync("slow", spin).unwrap();
                let look = move |_| {
                    seen.store(count.load(Ordering::Relaxed), Ordering::Relaxed);
                    Ok::<_, Fault>(7)
                };
                server.register_sync("spy", look).unwrap();
                let endpoint = server.bind("tcp://127.0.0.1:0").await.unwrap();
                bound.send(endpoint).unwrap();
                let _ = (&mut stopped).await;
            });
        });
        let address = address.await.unwrap().trim_start_matches("tcp://").parse().unwrap();
        Self { address, held, release, _stop, slow, quiet }
    }

    async fn peer(&self) -> RawPeer {
        let mut wire = RawPeer::connect(self.address).await;
        wire.shake_hands(&greeting(), &ready("DEALER", "")).await;
        wire.spy().await;
        wire
    }
}

/// Counted in calls, not in time, so that it says the same on a machine that is busy: a turn of 200 µs
/// has ten calls of 20 µs each, or a few more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s_06_a_quiet_peer_waits_for_a_turn_of_each_greedy_one() {
    let server = OneThread::start().await;
    let mut greedy = Vec::new();
    for _ in 0..GREEDY {
        greedy.push(server.peer().await);
    }
    let (mut quiet, mut holder) = (server.peer().await, server.peer().await);
    holder.call("hold").await;
    server.held.recv_timeout(PATIENCE).unwrap();
    for wire in &mut greedy {
        wire.send(&works("slow", EACH)).await;
    }
    let id = fresh_id();
    quiet.send(&work(&id, "spy")).await;
    server.release.send(()).unwrap();
    assert_eq!(quiet.answer().await, (id, OK, vec![7]));
    let before = server.quiet.load(Ordering::Relaxed);
    assert!(before <= GREEDY * EACH / 4, "{before} calls of others were served before");
    for wire in &mut greedy {
        for _ in 0..EACH {
            assert_eq!(wire.answer().await.1, OK);
        }
    }
    assert_eq!(server.slow.load(Ordering::Relaxed), GREEDY * EACH);
    println!("{before} of {} calls were served before", GREEDY * EACH);
}
