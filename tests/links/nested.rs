//! Calls within calls: each handler calls its caller, to depth 32, and no side waits for itself.

use crate::{
    Client, Runtime, Server, Tokio, conversations, join_all, new_client, new_server, soon, spawn,
};
use pseud::{Fault, Node, Options, Request};
use pseud_testkit::conversation::over_sockets;
use std::time::Duration;
use tokio::runtime::Handle;

/// Far more than [`SOON`](crate::SOON): a dead-lock is not saved by a time-out.
const CALL_TIMEOUT: Duration = Duration::from_secs(600);

const DEPTH: u64 = 32;

/// Chains that begin at the same time at each side: their calls stay under the limits of one peer.
const CHAINS: usize = 20;

/// The same where each handler holds a thread: all of them fit the runtime's 512.
const CHAINS_OF_THREADS: usize = 5;

conversations! { Tokio:
    p_06_handlers_call_their_callers_to_depth_32_on_one_thread,
}

async fn p_06_handlers_call_their_callers_to_depth_32_on_one_thread<R: Runtime>() {
    check::<R>(CHAINS, "down").await;
}

#[test]
fn p_06_handlers_call_their_callers_to_depth_32_on_several_threads() {
    over_sockets(3, check::<Tokio>(CHAINS, "down"));
}

#[test]
fn p_06_handlers_that_block_call_their_callers_to_depth_32() {
    for workers in [0, 3] {
        over_sockets(workers, check::<Tokio>(CHAINS_OF_THREADS, "block"));
    }
}

/// Chains that begin at both sides, of that handler.
async fn check<R: Runtime>(count: usize, name: &'static str) {
    let (server, client) = pair::<R>().await;
    let mut chains = Vec::new();
    for _ in 0..count {
        let (client, desk) = (client.clone(), server.peer("desk"));
        chains.push(spawn(async move { client.call::<u64, _>(name, (DEPTH,)).await }));
        chains.push(spawn(async move { desk.call::<u64, _>(name, (DEPTH,)).await }));
    }
    for sum in soon(join_all(chains)).await {
        assert_eq!(sum.unwrap(), DEPTH * (DEPTH + 1) / 2);
    }
    let (here, there) = (server.stats(), client.stats());
    assert_eq!(here.requests_served + there.requests_served, 2 * count as u64 * (DEPTH + 1));
}

async fn pair<R: Runtime>() -> (Server<R>, Client<R>) {
    let server = new_server::<R>(patient(Options::server("service")));
    let client = new_client::<R>(patient(Options::client("service").identity("desk")));
    serve(server.node());
    serve(client.node());
    client.connect(server.bind("tcp://127.0.0.1:0").await.unwrap()).unwrap();
    soon(client.ready()).await;
    (server, client)
}

fn patient(mut options: Options) -> Options {
    options.config.late_guard = CALL_TIMEOUT.into();
    options.call_timeout(CALL_TIMEOUT)
}

/// `down(n)` is n and all below it, each of which the other side adds.
fn serve(node: &Node) {
    node.registry().register("down", |request| async move { down(&request).await }).unwrap();
    node.registry()
        .register_blocking("block", |request| Handle::current().block_on(down(&request)))
        .unwrap();
}

async fn down(request: &Request) -> Result<u64, Fault> {
    let (n,): (u64,) = request.args()?;
    if n == 0 {
        return Ok(0);
    }
    let below = request.caller().call::<u64, _>(request.name(), (n - 1,)).await;
    let below = below.map_err(|error| Fault::new("RuntimeError", error.to_string()))?;
    Ok(n + below)
}
