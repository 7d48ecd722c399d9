//! Calls within calls with Python: many named clients called while they call, and what becomes of
//! Python's own dead-locks on our side: one clean outcome.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pseud::{CallError, Client, Fault, Reason, Request, Server};
use serde_json::{Value, json};
use tokio::join;
use tokio::task::JoinSet;

use crate::live::{PythonCalls, SERVICE, bounded, serve, until};
use crate::python::PythonPeer;
use crate::talk::error;

const DESKS: usize = 6;
const CALLS: usize = 25;

/// A call of Python's waits so long, also one that its reader waits for itself.
const PYTHON_TIMEOUT: Duration = Duration::from_secs(1);

/// Python's clients serve us while they wait for us; each is called by its own name.
#[tokio::test]
async fn p_06_many_named_python_clients_are_called_while_they_call() {
    PythonCalls::hold(async |room| {
        room.server.register("add_for_me", add_for_me).expect("a free name");
        let mut calls = JoinSet::new();
        for desk in (0..DESKS).map(|number| format!("desk {number}")) {
            room.connect(&desk, 5.0, json!({"IDENTITY": desk})).await;
            let theirs = (0..CALLS).map(|n| json!({"method": "add_for_me", "args": [n]}));
            let theirs: Vec<Value> = theirs.collect();
            let theirs = room.python.send("call_many", json!({"name": desk, "calls": theirs}));
            calls.spawn(async move { check_sums(&theirs.done().await) });
            for n in 0..CALLS {
                let desk = room.server.peer(&desk);
                calls.spawn(async move {
                    let sum: usize = desk.call("add", (n, 1)).await.expect("it serves");
                    assert_eq!(sum, n + 1);
                });
            }
        }
        calls.join_all().await;
        let stats = room.server.stats();
        assert_eq!(stats.requests_served, (DESKS * CALLS) as u64);
        assert_eq!(stats.calls_made, (2 * DESKS * CALLS) as u64);
        assert_eq!(stats.dropped_total(), 0);
    })
    .await;
}

async fn add_for_me(request: Request) -> Result<i64, Fault> {
    let (n,): (i64,) = request.args()?;
    let sum = request.caller().call("add", (n, 1)).await;
    sum.map_err(|error: CallError| Fault::new("RuntimeError", error.to_string()))
}

fn check_sums(outcomes: &Value) {
    assert!((0..CALLS).all(|n| outcomes[n]["result"] == n + 1), "{outcomes}");
}

/// A handler of Python's that calls its caller back and waits in the handler hears nothing until its
/// own time-out, and its reader dies of our answer then. On our side every call ends as what it is.
#[tokio::test]
async fn p_06_a_python_server_that_waits_for_itself_gives_us_one_outcome() {
    let Some(python) = PythonPeer::start() else { return };
    let fields = json!({
        "name": "server", "user_id": SERVICE, "endpoint": "tcp://127.0.0.1:*",
        "timeout": PYTHON_TIMEOUT.as_secs_f64(),
    });
    bounded(async {
        let bound = python.ask("server", fields).await;
        let client = Client::new(SERVICE).expect("a runtime is there");
        serve(client.node());
        client.connect(bound["endpoint"].as_str().expect("its endpoint")).expect("well-formed");
        let began = Instant::now();
        let nested = client.call::<i64, _>("nested", ("add", 20, 1));
        let hello = client.call::<String, _>("hello", ("behind it",));
        let (nested, hello) = join!(nested, hello);
        assert!(began.elapsed() >= PYTHON_TIMEOUT);
        assert!(is_timeout(&nested), "{nested:?}");
        assert_eq!(hello.expect("the reader goes on after the time-out"), "Hello behind it");
        let dead = python.ask("dead", json!({"name": "server"})).await;
        assert_eq!(
            (&dead["reader"], &dead["error"]["class"]),
            (&json!("dead"), &json!("KeyError"))
        );
        let late = client.call::<String, _>("hello", ("you",)).timeout(Duration::from_millis(200));
        let late = late.await;
        assert!(matches!(late, Err(CallError::Unknown(Reason::TimedOut))), "{late:?}");
        let stats = client.stats();
        assert_eq!((stats.requests_served, stats.calls_pending, stats.sessions), (1, 0, 1));
        assert_eq!(stats.dropped_total(), 0);
    })
    .await;
}

/// The other way round: a client of Python's that is called back, and calls us within that.
#[tokio::test]
async fn p_06_a_python_client_that_waits_for_itself_gives_us_one_outcome() {
    let Some(python) = PythonPeer::start() else { return };
    let server = Server::new(SERVICE).expect("a runtime is there");
    serve(server.node());
    let outcomes = Arc::new(Mutex::new(Vec::new()));
    let told = outcomes.clone();
    let outer = move |request: Request| {
        let told = told.clone();
        async move {
            let outcome = request.caller().call::<i64, _>("nested", ("add", 20, 1)).await;
            told.lock().expect("nobody panicked").push(outcome);
            Ok::<_, Fault>(())
        }
    };
    server.register("outer", outer).expect("a free name");
    bounded(async {
        let endpoint = server.bind("tcp://127.0.0.1:0").await.expect("loopback has a port");
        let fields = json!({
            "name": "client", "peer_id": SERVICE, "endpoint": endpoint,
            "timeout": PYTHON_TIMEOUT.as_secs_f64(),
        });
        python.ask("client", fields).await;
        let outer = python.ask("call", json!({"name": "client", "method": "outer"})).await;
        assert_eq!(error(&outer).0, "TimeoutError");
        let dead = python.ask("dead", json!({"name": "client"})).await;
        assert_eq!(dead["reader"], "dead");
        until("its outcome", || !outcomes.lock().expect("nobody panicked").is_empty()).await;
        let outcomes = outcomes.lock().expect("nobody panicked");
        assert!(matches!(outcomes.as_slice(), [only] if is_timeout(only)), "{outcomes:?}");
        let stats = server.stats();
        assert_eq!((stats.requests_served, stats.calls_pending), (2, 0));
    })
    .await;
}

fn is_timeout(outcome: &Result<i64, CallError>) -> bool {
    matches!(outcome, Err(CallError::Fault(fault)) if fault.class == "TimeoutError")
}
