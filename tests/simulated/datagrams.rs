//! A swarm of endpoints of rpcudp, whose datagrams are lost, doubled and overtake each other: no call runs
//! twice within the window, and what its caller is told is true.

use crate::swarm::book::{Book, Plan};
use pseud::proto::rpcudp::{Dropped, Silence};
use pseud::{Fault, Request};
use pseud_testkit::ledger::{Ledger, Member, Number, Tally, answer_to, assert_lies_are_caught};
use pseud_testkit::luck::Luck;
use pseud_testkit::sim::{self, Conditions, Endpoint, Sim};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// How many lives there are, unless `PSEUD_SEEDS` says otherwise.
const LIVES: u64 = 100;
const ENDPOINTS: usize = 5;
/// Tasks of each that call one after another, and how often.
const CALLERS: usize = 2;
const CALLS: usize = 12;

/// How late an end may be told: a task whose time has come waits for its turn.
const SLACK: Duration = Duration::from_millis(100);

/// Those behind the first four call their caller before they answer.
const NAMES: [&str; 6] = ["inline", "slow", "thread", "raises", "down1", "down2"];

struct SwarmLife {
    digest: u64,
    tally: Tally,
    ledger: Ledger,
    /// Requests that came again while they ran, and answers of calls that were over.
    repeated: u64,
    late: u64,
    silent: u64,
}

fn at(number: usize) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1 + number as u8], 7_000))
}

fn run(book: &Book, member: Member, request: &Request) -> Result<u64, Fault> {
    let (number,): (Number,) = request.args()?;
    book.runs(number, member);
    Ok(answer_to(number))
}

fn member_at(address: SocketAddr) -> Member {
    (0..ENDPOINTS).find(|number| at(*number) == address).unwrap_or(ENDPOINTS)
}

fn endpoint(member: Member, book: &Book) -> Endpoint {
    let endpoint = Endpoint::bind(at(member)).unwrap();
    let seen = book.clone();
    endpoint.register_sync("inline", move |request| run(&seen, member, &request)).unwrap();
    let seen = book.clone();
    endpoint.register_blocking("thread", move |request| run(&seen, member, &request)).unwrap();
    let seen = book.clone();
    let raises = move |request: Request| {
        run(&seen, member, &request)?;
        Err::<u64, _>(Fault::new("OnPurpose", "as it was meant to"))
    };
    endpoint.register_sync("raises", raises).unwrap();
    let seen = book.clone();
    let slow = move |request: Request| {
        let ran = run(&seen, member, &request);
        async move {
            sim::sleep(Duration::from_millis(40)).await;
            ran
        }
    };
    endpoint.register("slow", slow).unwrap();
    for (name, next) in [("down1", "slow"), ("down2", "down1")] {
        let book = book.clone();
        let handler = move |request: Request| {
            let (book, ran) = (book.clone(), run(&book, member, &request));
            async move {
                let sender = request.caller().rpcudp().unwrap().clone();
                let (meant, timeout) = (vec![member_at(sender.address())], Duration::from_secs(1));
                let plan = Plan::new(member, meant, timeout);
                let call = |number, timeout| sender.call(next, (number,)).timeout(timeout);
                book.follow(plan, |number, timeout| answered(call(number, timeout))).await;
                ran
            }
        };
        endpoint.register(name, handler).unwrap();
    }
    endpoint
}

async fn answered<C>(call: C) -> Result<(u64, String), pseud::CallError>
where
    C: Future<Output = Result<u64, pseud::CallError>>,
{
    call.await.map(|answer| (answer, String::new()))
}

/// One endpoint calls others, again and again: some calls are sent again until they are answered.
async fn call_others(endpoint: Endpoint, maker: Member, book: Book, mut luck: Luck) {
    for _ in 0..CALLS {
        // One more than there are: nobody is there.
        let meant = (maker + luck.between(1, ENDPOINTS + 1)) % (ENDPOINTS + 1);
        let meant = if meant == maker { ENDPOINTS } else { meant };
        let timeout = Duration::from_millis(luck.one_of(&[10, 300, 2_000, 5_000]));
        let given_up = (luck.between(0, 8) == 0).then(|| luck.millis(0, 50));
        let (name, again) = (luck.one_of(&NAMES), luck.one_of(&[None, Some(20), Some(200)]));
        let plan = Plan { given_up, ..Plan::new(maker, vec![meant], timeout) };
        let call = |number, timeout| {
            let call = endpoint.call::<u64, _>(at(meant), name, (number,)).timeout(timeout);
            match again {
                Some(millis) => call.resend_every(Duration::from_millis(millis)),
                None => call,
            }
        };
        book.follow(plan, |number, timeout| answered(call(number, timeout))).await;
    }
}

fn live(seed: u64) -> SwarmLife {
    let mut luck = Luck::new(seed);
    let book = Book::default();
    let mut sim = Sim::new(seed, Conditions::stormy());
    let (repeated, late, silent) = sim.run(async {
        let all: Arc<[_]> = (0..ENDPOINTS).map(|member| endpoint(member, &book)).collect();
        let callers = all.iter().enumerate().flat_map(|(maker, endpoint)| {
            let (endpoint, book) = (endpoint.clone(), book.clone());
            std::iter::repeat_with(move || (endpoint.clone(), maker, book.clone())).take(CALLERS)
        });
        let callers = callers.map(|(endpoint, maker, book)| {
            sim::spawn(call_others(endpoint, maker, book, luck.fork()))
        });
        sim::join_all(callers.collect::<Vec<_>>()).await;
        // Handlers that call back have up to two seconds for it.
        sim::sleep(Duration::from_secs(10)).await;
        let stats: Vec<_> = all.iter().map(|endpoint| endpoint.stats()).collect();
        for stats in &stats {
            let open = (stats.calls_pending, stats.requests_open, stats.queued_bytes);
            assert_eq!(open, (0, 0, 0), "PSEUD_SEED={seed}: {stats:?}");
        }
        drop(all);
        sim::sleep(Duration::from_secs(1)).await;
        let dropped = |why| stats.iter().map(|stats| stats.counts.dropped(why)).sum::<u64>();
        let silent = stats.iter().map(|stats| stats.counts.silent(Silence::Fault)).sum::<u64>();
        (dropped(Dropped::Duplicate), dropped(Dropped::UnknownResponse), silent)
    });
    let (digest, ledger) = (sim.digest(), book.ledger());
    let tally = ledger.check(SLACK).unwrap_or_else(|lie| panic!("PSEUD_SEED={seed}: {lie}"));
    assert_eq!(sim.runtime().tasks(), 0, "PSEUD_SEED={seed}: tasks of endpoints that have ended");
    SwarmLife { digest, tally, ledger, repeated, late, silent }
}

#[test]
fn o_10_a_swarm_of_endpoints_runs_each_call_once_at_most() {
    let lives: Vec<_> = sim::seeds(LIVES).map(live).collect();
    let all = lives.iter().fold(Tally::default(), |all, life| all.and(life.tally));
    println!("{} lives: {all:?}", lives.len());
    assert!(all.values > 0, "{all:?}");
    if lives.len() >= 20 {
        // What is lost is unknown: some of it was run, and some was not.
        assert!(all.unknown_but_run > 0 && all.unknown > all.unknown_but_run, "{all:?}");
        let sum = |count: fn(&SwarmLife) -> u64| lives.iter().map(count).sum::<u64>();
        let some = [sum(|life| life.repeated), sum(|life| life.late), sum(|life| life.silent)];
        assert!(some.iter().all(|count| *count > 0), "{some:?}");
    }
}

#[test]
fn a_seed_is_one_life_of_endpoints() {
    let digests = || sim::seeds(LIVES).step_by(20).map(|seed| live(seed).digest);
    let (first, again): (Vec<_>, Vec<_>) = (digests().collect(), digests().collect());
    assert_eq!(first, again);
}

#[test]
fn the_judge_of_these_lives_sees_lies() {
    let doubtful = (0..).map(live).find(|life| life.tally.unknown_but_run > 0);
    assert_lies_are_caught(&doubtful.unwrap().ledger);
}
