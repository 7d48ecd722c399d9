//! Thousands of calls, both ways, over links that are cut again and again: what a caller is told is
//! true (`NotExecuted` never for a call that was run), told once, and in time.

use crate::spy::follow;
use crate::{
    Client, Runtime, SOON, Server, Tokio, join_all, new_client, new_server, sleep, spawn, timeout,
    until,
};
use pseud::{Fault, Node, Options, Peer, Request};
use pseud_testkit::conversation::{SimRuntime, in_all_weathers};
use pseud_testkit::ledger::{Number, Tally, answer_to, assert_lies_are_caught};
use pseud_testkit::luck::Luck;
use pseud_testkit::path::CuttingRelay;
use pseud_testkit::sim::{self, Conditions};
use pseud_testkit::spy::Spy;
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Builder;

/// How many live.
#[derive(Clone, Copy)]
struct Scale {
    desks: usize,
    /// Tasks that call one after another: on each desk, and on the server for each desk.
    callers: usize,
    calls_each: usize,
    /// Bytes that a call carries, there and back: one of those numbers.
    bytes: [usize; 4],
    /// How long all of it may take.
    lasts_max: Duration,
}

/// Bytes: none, some, more than one read, more than a socket takes.
const OVER_SOCKETS: Scale = Scale {
    desks: 8,
    callers: 4,
    calls_each: 40,
    bytes: [0, 100, 3_000, 100_000],
    lasts_max: SOON,
};

/// One of many worlds, by whose clock a call over a link that is lost without a word takes its time.
const SIMULATED: Scale = Scale {
    desks: 3,
    callers: 2,
    calls_each: 24,
    bytes: [0, 0, 100, 3_000],
    lasts_max: Duration::from_secs(600),
};

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

fn check(runtime: tokio::runtime::Runtime) {
    let (spy, luck) = (Arc::new(Spy::default()), Luck::seeded());
    let cuts = runtime.block_on(cut(&spy, luck));
    // What runs on threads of its own has ended after this.
    drop(runtime);
    let tally = spy.check().unwrap_or_else(|lie| panic!("{lie}"));
    println!("{cuts} cuts: {tally:?}");
    assert!(cuts >= CUTS_MIN, "{cuts} cuts");
    assert!(tally.values > 300 && tally.not_executed > 0, "{tally:?}");
    assert!(tally.unknown_but_run > 0, "nothing was in doubt: {tally:?}");
    assert_lies_are_caught(&spy.ledger());
}

/// Lives behind a relay. Returns how often it has cut a link.
async fn cut(spy: &Arc<Spy>, mut luck: Luck) -> usize {
    let (server, endpoint) = open_server::<Tokio>(spy).await;
    let relay = CuttingRelay::open(&endpoint, usize::MAX, luck.fork()).await;
    live(server, [&relay.endpoint, &endpoint], OVER_SOCKETS, spy, luck).await;
    relay.cuts()
}

/// The same in weather that loses links at any byte, and of some it tells nobody.
#[test]
fn p_05_links_that_are_lost_in_a_storm_make_no_liar() {
    let all = Cell::new(Tally::default());
    let name = concat!(module_path!(), "::p_05_links_that_are_lost_in_a_storm_make_no_liar");
    in_all_weathers(name, async || {
        let world = sim::world();
        let [luck, ..] = world.seed().unwrap();
        let spy = Arc::new(Spy::default());
        let (server, endpoint) = open_server::<SimRuntime>(&spy).await;
        world.change(Conditions::stormy());
        live(server, [&endpoint; 2], SIMULATED, &spy, Luck::new(luck.into())).await;
        all.set(all.get().and(spy.check().unwrap_or_else(|lie| panic!("{lie}"))));
    });
    let all = all.get();
    println!("{all:?}");
    if std::env::var_os("PSEUD_SEED").is_none() {
        assert!(all.values > 0 && all.not_executed > 0 && all.unknown_but_run > 0, "{all:?}");
    }
}

async fn open_server<R: Runtime>(spy: &Arc<Spy>) -> (Server<R>, String) {
    let server = new_server::<R>(Options::server("service"));
    serve(server.node(), spy);
    let endpoint = server.bind("tcp://127.0.0.1:0").await.unwrap();
    (server, endpoint.into())
}

/// Makes all calls to and from clients of those endpoints, waits for all ends, and ends everybody.
async fn live<R: Runtime>(
    server: Server<R>,
    [endpoint, second]: [&String; 2],
    scale: Scale,
    spy: &Arc<Spy>,
    mut luck: Luck,
) {
    let desks: Vec<_> = (0..scale.desks).map(|desk| open::<R>(desk, endpoint, spy)).collect();
    if endpoint != second {
        // A second link of one name takes it from the first while that one is in use.
        desks[..2].iter().for_each(|desk| desk.connect(second).unwrap());
    }
    let mut callers = Vec::new();
    for (number, desk) in desks.iter().enumerate() {
        for _ in 0..scale.callers {
            for callee in
                [Callee::Server(desk.clone()), Callee::Desk(server.peer(format!("desk {number}")))]
            {
                callers.push(spawn(keep_calling(callee, scale, spy.clone(), luck.fork())));
            }
        }
    }
    timeout(scale.lasts_max, join_all(callers)).await.expect("every call ends");
    desks.iter().for_each(|desk| desk.shutdown());
    server.shutdown();
    // Handlers whose callers are gone call back still, or are about to hear that nobody is there.
    until(|| spy.pending() == 0).await;
}

/// A client that comes back at once.
fn open<R: Runtime>(number: usize, endpoint: &str, spy: &Arc<Spy>) -> Client<R> {
    let mut options = Options::client("service").identity(format!("desk {number}"));
    options.retry.first = Duration::from_millis(2);
    options.retry.max = Duration::from_millis(10);
    let client = new_client::<R>(options);
    serve(client.node(), spy);
    client.connect(endpoint).unwrap();
    client
}

/// Whom a task calls.
enum Callee<R: Runtime> {
    Server(Client<R>),
    Desk(Peer),
}

async fn keep_calling<R: Runtime>(callee: Callee<R>, scale: Scale, spy: Arc<Spy>, mut luck: Luck) {
    for _ in 0..scale.calls_each {
        let (name, padding) = (luck.one_of(&HANDLERS), "x".repeat(luck.one_of(&scale.bytes)));
        let time = Duration::from_millis(luck.one_of(&[10, 300, 5_000, 5_000]));
        let calling = |number| match &callee {
            Callee::Server(client) => client.call(name, (number, padding)).timeout(time),
            Callee::Desk(peer) => peer.call(name, (number, padding)).timeout(time),
        };
        follow::<String, _>(&spy, time, calling).await;
    }
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
