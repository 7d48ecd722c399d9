//! What a peer costs a server that has nothing to do for it: bytes of heap.

use crate::measure::Measure;
use crate::whole::{echo, runtime};
use allocation_counter::measure;
use pseud::tokio::Options;
use pseud::{Client, Server};
use std::sync::mpsc;
use std::thread;
use tokio::sync::oneshot;

const PEERS: usize = 500;

/// A peer after its handshake, after one call, and when it has gone: each on average of all.
///
/// The peers live on another thread: allocations are counted by thread, so only the server's are.
pub(crate) fn bytes() -> Vec<Measure> {
    let runtime = runtime();
    let server: Server = {
        let _inside = runtime.enter();
        echo(Options::server("server"))
    };
    let endpoint = runtime.block_on(server.bind("tcp://127.0.0.1:0")).expect("a free port");
    let (orders, taken) = mpsc::channel::<oneshot::Sender<()>>();
    let peers = thread::spawn(move || peers(&endpoint, &taken));
    let mut held = 0;
    let mut phase = |name: &str, sessions: usize| {
        let (done, is_done) = oneshot::channel();
        orders.send(done).expect("the peers live");
        held += measure(|| {
            runtime.block_on(async {
                is_done.await.expect("the peers live");
                while server.stats().sessions != sessions {
                    tokio::task::yield_now().await;
                }
            });
        })
        .bytes_current;
        Measure::new(format!("heap.idle_peer.{name}"), held as f64 / PEERS as f64)
    };
    let measures =
        vec![phase("before_a_call", PEERS), phase("after_a_call", PEERS), phase("after_close", 0)];
    drop(orders);
    peers.join().expect("the peers are well");
    measures
}

/// Connects all at the first order, calls once each at the second, leaves at the third.
fn peers(endpoint: &str, orders: &mpsc::Receiver<oneshot::Sender<()>>) {
    let runtime = runtime();
    let _inside = runtime.enter();
    let clients: Vec<_> = (0..PEERS).map(|_| Client::new("server").expect("a client")).collect();
    let next = || orders.recv().expect("three orders");
    let order = next();
    runtime.block_on(async {
        for client in &clients {
            client.connect(endpoint).expect("the server is there");
            client.ready().await;
        }
    });
    order.send(()).expect("the server waits");
    let order = next();
    runtime.block_on(async {
        for client in &clients {
            let answer: u64 = client.call("echo", (7_u64,)).await.expect("an answer");
            assert_eq!(answer, 7);
        }
    });
    order.send(()).expect("the server waits");
    let order = next();
    clients.iter().for_each(|client| client.shutdown());
    drop(clients);
    drop(_inside);
    drop(runtime);
    order.send(()).expect("the server waits");
}
