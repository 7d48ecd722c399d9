//! Both sides flood each other with calls whose handlers call back, large bodies among them: the
//! sockets are full both ways, and nobody waits for ever.

use crate::{
    Client, Runtime, Server, Tokio, conversations, is_simulated, join_all, new_client, new_server,
    soon, spawn, timeout,
};
use pseud::{CallError, Fault, Node, Options, Peer, Request};
use pseud_testkit::conversation::over_sockets;
use pseud_testkit::sim::{self, Conditions};
use std::time::Duration;

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
const SIMULATED_BYTES: usize = 20_000;

conversations! { Tokio:
    p_06_a_flood_both_ways_ends_on_one_thread,
}

async fn p_06_a_flood_both_ways_ends_on_one_thread<R: Runtime>() {
    if is_simulated() {
        // Sockets that hold one body.
        let conditions = Conditions { capacity: SIMULATED_BYTES, ..Conditions::windy() };
        sim::world().change(conditions);
        flood::<R>(2, 1, SIMULATED_BYTES).await;
    } else {
        flood::<R>(CALLERS, ROUNDS, LARGE_BYTES).await;
    }
}

#[test]
fn p_06_a_flood_both_ways_ends_on_several_threads() {
    over_sockets(3, flood::<Tokio>(CALLERS, ROUNDS, LARGE_BYTES));
}

async fn flood<R: Runtime>(count: usize, rounds: usize, large: usize) {
    let (server, client) = pair::<R>().await;
    let mut callers = Vec::new();
    for _ in 0..count {
        callers.push(spawn(keep_calling(Callee::Server(client.clone()), rounds, large)));
        callers.push(spawn(keep_calling(Callee::<R>::Desk(server.peer("desk")), rounds, large)));
    }
    timeout(FLOOD_TIMEOUT, join_all(callers)).await.expect("every call ends");
    let served = server.stats().requests_served + client.stats().requests_served;
    assert_eq!(served, (2 * count * rounds * (DEPTH + 1)) as u64);
}

enum Callee<R: Runtime> {
    Server(Client<R>),
    Desk(Peer),
}

async fn keep_calling<R: Runtime>(callee: Callee<R>, rounds: usize, large: usize) {
    for round in 0..rounds {
        let size = if round.is_multiple_of(LARGE_EVERY) { large } else { round };
        let body = "x".repeat(size);
        let args = (DEPTH, body.as_str());
        let echo: Result<String, CallError> = match &callee {
            Callee::Server(client) => client.call("down", args).await,
            Callee::Desk(desk) => desk.call("down", args).await,
        };
        assert_eq!(echo.unwrap().len(), body.len());
    }
}

async fn pair<R: Runtime>() -> (Server<R>, Client<R>) {
    let server = new_server::<R>(roomy(Options::server("service")));
    let client = new_client::<R>(roomy(Options::client("service").identity("desk")));
    serve(server.node());
    serve(client.node());
    client.connect(server.bind("tcp://127.0.0.1:0").await.unwrap()).unwrap();
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
