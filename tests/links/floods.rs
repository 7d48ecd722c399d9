//! Both sides flood each other with calls whose handlers call back, large bodies among them: the
//! sockets are full both ways, and nobody waits for ever.

use crate::soon;
use pseud::{CallError, Client, Fault, Node, Options, Peer, Request, Server};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Ten times what a busy machine needs.
const FLOOD_TIMEOUT: Duration = Duration::from_secs(60);

/// Far more than that: a dead-lock is not saved by a time-out.
const CALL_TIMEOUT: Duration = Duration::from_secs(600);

/// Tasks on each side that call one after another.
const CALLERS: usize = 64;
const ROUNDS: usize = 40;
const DEPTH: usize = 3;

/// Of so many rounds one is of large bodies: together more than sockets take, each way.
const LARGE_EVERY: usize = 32;
const LARGE_BYTES: usize = 200_000;

#[test]
fn p_06_a_flood_both_ways_ends_on_one_thread() {
    flood(Builder::new_current_thread().enable_all().build().unwrap());
}

#[test]
fn p_06_a_flood_both_ways_ends_on_several_threads() {
    flood(Builder::new_multi_thread().worker_threads(3).enable_all().build().unwrap());
}

fn flood(runtime: Runtime) {
    runtime.block_on(async {
        let (server, client) = pair().await;
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            callers.spawn(keep_calling(Callee::Server(client.clone())));
            callers.spawn(keep_calling(Callee::Desk(server.peer("desk"))));
        }
        timeout(FLOOD_TIMEOUT, callers.join_all()).await.expect("every call ends");
        let served = server.stats().requests_served + client.stats().requests_served;
        assert_eq!(served, (2 * CALLERS * ROUNDS * (DEPTH + 1)) as u64);
    });
}

enum Callee {
    Server(Client),
    Desk(Peer),
}

async fn keep_calling(callee: Callee) {
    for round in 0..ROUNDS {
        let large = round.is_multiple_of(LARGE_EVERY);
        let body = "x".repeat(if large { LARGE_BYTES } else { round });
        let args = (DEPTH, body.as_str());
        let echo: Result<String, CallError> = match &callee {
            Callee::Server(client) => client.call("down", args).await,
            Callee::Desk(desk) => desk.call("down", args).await,
        };
        assert_eq!(echo.unwrap().len(), body.len());
    }
}

async fn pair() -> (Server, Client) {
    let server = Server::with_options(roomy(Options::server("service"))).unwrap();
    let client = Client::with_options(roomy(Options::client("service").identity("desk"))).unwrap();
    serve(server.node());
    serve(client.node());
    client.connect(&server.bind("tcp://127.0.0.1:0").await.unwrap()).unwrap();
    soon(client.ready()).await;
    (server, client)
}

/// Queues that take every large body there is: what is looked for is a dead-lock, not a limit.
fn roomy(mut options: Options) -> Options {
    let bytes = 4 * CALLERS * (DEPTH + 1) * LARGE_BYTES;
    options.config.limits.queue_bytes_soft_max = bytes;
    options.config.limits.queue_bytes_hard_max = bytes;
    options.config.late_guard = CALL_TIMEOUT.into();
    options.call_timeout(CALL_TIMEOUT)
}

/// Hands a body up and down between both sides, and back at last.
fn serve(node: &Node) {
    let down = |request: Request| async move {
        let (depth, body): (usize, String) = request.args()?;
        if depth == 0 {
            return Ok(body);
        }
        let below = request.caller().call("down", (depth - 1, body)).await;
        below.map_err(|error: CallError| Fault::new("RuntimeError", error.to_string()))
    };
    node.registry().register("down", down).unwrap();
}
