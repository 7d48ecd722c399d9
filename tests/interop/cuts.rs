//! Rust clients and a Python server call each other over links that are cut again and again: what our
//! side tells of its calls is true, and Python's process outlives it.

use crate::live::{SERVICE, bounded};
use crate::python::PythonPeer;
use crate::spy::follow;
use pseud::{Client, Fault, Options};
use pseud_testkit::ledger::{CallEnd, Number, Tally, answer_to, assert_lies_are_caught};
use pseud_testkit::luck::Luck;
use pseud_testkit::path::CuttingRelay;
use pseud_testkit::spy::Spy;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

const DESKS: usize = 4;

/// Fewer would not have met a link in each of its states. Each may cost Python 0.4 s, in which it
/// reads nothing: so long it tries to answer somebody who is gone.
const CUTS_MIN: usize = 5;
const CUTS_MAX: usize = 16;

/// Tasks of each desk that call one after another.
const CALLERS: usize = 8;
const CALLS_EACH: usize = 32;

/// Python calls each desk in batches, one after another.
const BATCHES: usize = 4;
const BATCH: usize = 25;

/// How long a call of Python's waits; it hears nothing of a lost link. Our desks answer it by then
/// or not at all: its reader dies of a late answer.
const PYTHON_TIMEOUT: Duration = Duration::from_secs(2);
const LATE_GUARD: Duration = Duration::from_millis(700);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p_05_rust_calls_python_over_links_that_are_cut() {
    let report = report();
    let Some(room) = Room::open(Some(&report)).await else { return };
    let mut callers = JoinSet::new();
    let (desks, mut luck) = (room.desks.clone(), room.luck.clone());
    for desk in desks.iter().flat_map(|desk| vec![desk; CALLERS]) {
        callers.spawn(keep_calling(desk.clone(), room.spy.clone(), luck.fork()));
    }
    bounded(async {
        callers.join_all().await;
        let (spy, cuts) = room.close().await;
        let ran = fs::read_to_string(&report).expect("Python wrote what it ran");
        ran.lines().for_each(|line| spy.runs(line.parse().expect("a number a line")));
        let tally = check(&spy, cuts);
        assert!(tally.unknown_but_run > 0, "nothing was in doubt: {tally:?}");
        assert_lies_are_caught(&spy.ledger());
    })
    .await;
    let _ = fs::remove_file(report);
}

/// Not at the same time: while Python answers somebody who is gone it reads nothing, and its own calls
/// time out behind that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p_05_python_calls_rust_over_links_that_are_cut() {
    let Some(room) = Room::open(None).await else { return };
    let (mut callers, mut luck) = (JoinSet::new(), room.luck.clone());
    for desk in 0..DESKS {
        let (python, spy) = (room.python.clone(), room.spy.clone());
        callers.spawn(called_by_python(desk, python, spy, luck.fork()));
    }
    bounded(async {
        callers.join_all().await;
        let (spy, cuts) = room.close().await;
        check(&spy, cuts);
    })
    .await;
}

/// A Python server, the relay before it, and Rust clients of it: the desks.
struct Room {
    python: Arc<PythonPeer>,
    endpoint: String,
    relay: CuttingRelay,
    desks: Vec<Client>,
    spy: Arc<Spy>,
    luck: Luck,
}

impl Room {
    async fn open(report: Option<&Path>) -> Option<Self> {
        let (python, mut luck) = (Arc::new(PythonPeer::start()?), Luck::seeded());
        let endpoint = serve_in_python(&python, report).await;
        let (relay, spy) =
            (CuttingRelay::open(&endpoint, CUTS_MAX, luck.fork()).await, Arc::new(Spy::default()));
        let desks = (0..DESKS).map(|number| open(number, &relay, &spy)).collect();
        Some(Self { python, endpoint, relay, desks, spy, luck })
    }

    /// Nothing runs any more when it returns, and Python was well.
    async fn close(self) -> (Arc<Spy>, usize) {
        self.desks.iter().for_each(|desk| desk.shutdown());
        check_alive(&self.python, &self.endpoint).await;
        (self.spy, self.relay.cuts())
    }
}

/// Where Python's handlers write what they run.
fn report() -> PathBuf {
    let name = format!("cuts-{}", std::process::id());
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

async fn serve_in_python(python: &PythonPeer, report: Option<&Path>) -> String {
    let fields = json!({
        "name": "server", "user_id": SERVICE, "endpoint": "tcp://127.0.0.1:*",
        "timeout": PYTHON_TIMEOUT.as_secs_f64(),
    });
    let bound = python.ask("server", fields).await;
    if let Some(path) = report {
        python.ask("spy", json!({"name": "server", "path": path})).await;
    }
    bound["endpoint"].as_str().expect("a bound server says where").to_owned()
}

/// A client that comes back at once.
fn open(number: usize, relay: &CuttingRelay, spy: &Arc<Spy>) -> Client {
    let mut options = Options::client(SERVICE).identity(format!("desk {number}"));
    options.retry.first = Duration::from_millis(2);
    options.retry.max = Duration::from_millis(10);
    options.config.late_guard = LATE_GUARD.into();
    let (client, spy) = (Client::with_options(options).expect("a runtime is there"), spy.clone());
    let run = move |request: pseud::Request| {
        let (number, padding): (Number, String) = request.args()?;
        spy.runs(number);
        Ok::<_, Fault>((answer_to(number), padding))
    };
    client.register_sync("run", run).expect("a free name");
    client.connect(&relay.endpoint).expect("a well-formed endpoint");
    client
}

async fn keep_calling(desk: Client, spy: Arc<Spy>, mut luck: Luck) {
    for _ in 0..CALLS_EACH {
        let (name, padding) = (luck.one_of(&["inline", "later"]), padding(&mut luck));
        let time = Duration::from_millis(luck.one_of(&[20, 300, 2_000, 2_000]));
        let calling = |number| desk.call(name, (number, padding)).timeout(time);
        follow::<String, _>(&spy, time, calling).await;
    }
}

fn padding(luck: &mut Luck) -> String {
    "x".repeat(luck.one_of(&[0, 100, 3_000, 20_000]))
}

async fn called_by_python(desk: usize, python: Arc<PythonPeer>, spy: Arc<Spy>, mut luck: Luck) {
    for _ in 0..BATCHES {
        let numbers: Vec<Number> = (0..BATCH).map(|_| spy.made(PYTHON_TIMEOUT)).collect();
        let calls: Vec<Value> = numbers
            .iter()
            .map(|number| json!({"method": "run", "args": [number, padding(&mut luck)]}))
            .collect();
        let fields = json!({"name": "server", "to": format!("desk {desk}"), "calls": calls});
        let outcomes = python.ask("call_many", fields).await;
        for (number, outcome) in numbers.iter().zip(outcomes.as_array().expect("one a call")) {
            let took = Duration::from_secs_f64(outcome["seconds"].as_f64().expect("a time"));
            spy.ended_after(*number, end_of(outcome), took);
        }
    }
}

/// What Python tells of its call: it knows nothing but values, faults and its time-out.
fn end_of(outcome: &Value) -> CallEnd {
    match (outcome["result"]["$tuple"][0].as_u64(), outcome["error"]["class"].as_str()) {
        (Some(value), _) => CallEnd::Value(Some(value)),
        (None, Some("TimeoutError")) => CallEnd::Unknown("Python's time-out".to_owned()),
        (None, _) => CallEnd::Odd(outcome.to_string()),
    }
}

/// Its reader lives, and has read all that came before: it takes one message after another.
async fn check_alive(python: &PythonPeer, endpoint: &str) {
    let client = Client::new(SERVICE).expect("a runtime is there");
    client.connect(endpoint).expect("Python's endpoints are well-formed");
    for _ in 0..3 {
        let hello = client.call("hello", ("again",)).timeout(Duration::from_secs(30));
        let hello: String = hello.await.expect("it serves");
        assert_eq!(hello, "Hello again");
    }
    let readers = python.ask("alive", json!({})).await;
    assert_eq!(readers["server"]["reader"], "running", "{readers}");
}

fn check(spy: &Spy, cuts: usize) -> Tally {
    let tally = spy.check().unwrap_or_else(|lie| panic!("{lie}"));
    println!("{cuts} cuts: {tally:?}");
    assert!(cuts >= CUTS_MIN, "{cuts} cuts");
    assert!(tally.values > 0, "{tally:?}");
    tally
}
