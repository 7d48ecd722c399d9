//! Thousands of calls, both ways, over links that are cut again and again: what a caller is told is
//! true (`NotExecuted` never for a call that was run), told once, and in time.

use crate::SOON;
use crate::spy::follow;
use pseud::{Client, Fault, Node, Options, Peer, Request, Server};
use pseud_testkit::ledger::{Number, answer_to, assert_lies_are_caught};
use pseud_testkit::luck::Luck;
use pseud_testkit::path::CuttingRelay;
use pseud_testkit::spy::Spy;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

const DESKS: usize = 8;
/// Tasks that call one after another: on each desk, and on the server for each desk.
const CALLERS: usize = 4;
const CALLS_EACH: usize = 40;

/// Fewer would not have met a link in each of its states.
const CUTS_MIN: usize = 50;

#[test]
fn p_05_links_that_are_cut_make_no_liar_on_one_thread() {
    check(Builder::new_current_thread().enable_all().build().unwrap());
}

#[test]
fn p_05_links_that_are_cut_make_no_liar_on_two_threads() {
    check(Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());
}

fn check(runtime: Runtime) {
    let (spy, luck) = (Arc::new(Spy::default()), Luck::seeded());
    let cuts = runtime.block_on(live(&spy, luck));
    // What runs on threads of its own has ended after this.
    drop(runtime);
    let tally = spy.check().unwrap_or_else(|lie| panic!("{lie}"));
    println!("{cuts} cuts: {tally:?}");
    assert!(cuts >= CUTS_MIN, "{cuts} cuts");
    assert!(tally.values > 300 && tally.not_executed > 0, "{tally:?}");
    assert!(tally.unknown_but_run > 0, "nothing was in doubt: {tally:?}");
    assert_lies_are_caught(&spy.ledger());
}

/// Makes all calls, waits for all ends, and ends everybody. Returns how often a link was cut.
async fn live(spy: &Arc<Spy>, mut luck: Luck) -> usize {
    let server = Server::new("service").unwrap();
    serve(server.node(), spy);
    let endpoint = server.bind("tcp://127.0.0.1:0").await.unwrap();
    let relay = CuttingRelay::open(&endpoint, usize::MAX, luck.fork()).await;
    let desks: Vec<Client> = (0..DESKS).map(|desk| open(desk, &relay, spy)).collect();
    // A second link of one name takes it from the first while that one is in use.
    desks[..2].iter().for_each(|desk| desk.connect(&endpoint).unwrap());
    let mut callers = JoinSet::new();
    for (number, desk) in desks.iter().enumerate() {
        for _ in 0..CALLERS {
            let peer = server.peer(format!("desk {number}"));
            callers.spawn(keep_calling(Callee::Server(desk.clone()), spy.clone(), luck.fork()));
            callers.spawn(keep_calling(Callee::Desk(peer), spy.clone(), luck.fork()));
        }
    }
    timeout(SOON, callers.join_all()).await.expect("every call ends");
    desks.iter().for_each(|desk| desk.shutdown());
    server.shutdown();
    // Handlers whose callers are gone call back still, or are about to hear that nobody is there.
    let all_told = async {
        while spy.pending() > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, all_told).await.expect("every call of a handler ends");
    relay.cuts()
}

/// A client that comes back at once.
fn open(number: usize, relay: &CuttingRelay, spy: &Arc<Spy>) -> Client {
    let mut options = Options::client("service").identity(format!("desk {number}"));
    options.retry.first = Duration::from_millis(2);
    options.retry.max = Duration::from_millis(10);
    let client = Client::with_options(options).unwrap();
    serve(client.node(), spy);
    client.connect(&relay.endpoint).unwrap();
    client
}

/// Whom a task calls.
enum Callee {
    Server(Client),
    Desk(Peer),
}

async fn keep_calling(callee: Callee, spy: Arc<Spy>, mut luck: Luck) {
    for _ in 0..CALLS_EACH {
        let (name, padding) = (luck.one_of(&HANDLERS), padding(&mut luck));
        let time = Duration::from_millis(luck.one_of(&[10, 300, 5_000, 5_000]));
        let calling = |number| match &callee {
            Callee::Server(client) => client.call(name, (number, padding)).timeout(time),
            Callee::Desk(peer) => peer.call(name, (number, padding)).timeout(time),
        };
        follow::<String, _>(&spy, time, calling).await;
    }
}

/// Bytes that a call carries, there and back: none, some, more than one read, more than a socket
/// takes.
fn padding(luck: &mut Luck) -> String {
    "x".repeat(luck.one_of(&[0, 0, 100, 3_000, 3_000, 100_000]))
}

const HANDLERS: [&str; 5] = ["inline", "later", "slow", "thread", "back"];

/// Handlers of every kind: each tells the spy, and returns what only this call is answered with.
fn serve(node: &Node, spy: &Arc<Spy>) {
    let seen = spy.clone();
    node.registry().register_sync("inline", move |request| run(&seen, &request)).unwrap();
    let seen = spy.clone();
    node.registry().register_blocking("thread", move |request| run(&seen, &request)).unwrap();
    for (name, nap) in [("later", Duration::ZERO), ("slow", Duration::from_millis(20))] {
        let seen = spy.clone();
        let handler = move |request: Request| {
            let ran = run(&seen, &request);
            async move {
                sleep(nap).await;
                ran
            }
        };
        node.registry().register(name, handler).unwrap();
    }
    let seen = spy.clone();
    node.registry().register("back", move |request| call_back(seen.clone(), request)).unwrap();
}

fn run(spy: &Spy, request: &Request) -> Result<(u64, String), Fault> {
    let (number, padding): (Number, String) = request.args()?;
    spy.runs(number);
    Ok((answer_to(number), padding))
}

/// Calls its caller, whatever comes of that, before it answers.
async fn call_back(spy: Arc<Spy>, request: Request) -> Result<(u64, String), Fault> {
    let ran = run(&spy, &request);
    let time = Duration::from_secs(1);
    let calling = |number| {
        let name = HANDLERS[number as usize % 4];
        request.caller().call(name, (number, "back")).timeout(time)
    };
    follow::<String, _>(&spy, time, calling).await;
    ran
}
