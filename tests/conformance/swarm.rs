//! Hundreds of random lives of one server and its clients, each from one seed.
//!
//! `PSEUD_SEED=17 cargo test --test conformance swarm` lives one of them again;
//! `PSEUD_SEEDS=20000` lives more of them.

mod chance;
mod crowd;
mod member;
mod users;

use chance::{Chance, Happening, name};
use crowd::{Answer, Crowd, SERVER, honest};
use member::Broken;
use pseud::proto::To;
use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

use pseud_testkit::ledger::Tally;
use pseud_testkit::memory::ms;
use pseud_testkit::weather::Trouble;

const SEEDS: u64 = 300;
const STEPS: usize = 700;
/// The clock leaps: that an end comes in time is checked as it leaps.
const FOREVER: Duration = Duration::from_secs(1 << 20);

#[test]
fn every_promise_holds_in_every_life() {
    let lives = seeds().map(|seed| Life::of(seed, None).tally);
    let tally = lives.fold(Tally::default(), Tally::and);
    println!("{tally:?}");
    if env::var_os("PSEUD_SEED").is_none() {
        let Tally { values, faults, not_executed, unknown_but_run, closed, .. } = tally;
        let ends = [values, faults, not_executed, unknown_but_run, closed];
        assert!(ends.iter().all(|&count| count > 50), "some ends were not seen: {tally:?}");
    }
}

#[test]
fn a_seed_lives_the_same_life_twice() {
    for seed in 0..10 {
        assert_eq!(Life::of(seed, None).digest, Life::of(seed, None).digest, "seed {seed}");
    }
    assert_ne!(Life::of(0, None).digest, Life::of(1, None).digest);
}

/// A swarm whose machines lie is a swarm that fails: soon, and for the right reason.
#[test]
fn lies_are_caught() {
    for (broken, why) in [
        (Broken::ForgedNotExecuted, &["is said not to have been executed"][..]),
        (Broken::FinishedTwice, &["ended twice"]),
        (Broken::DeafToTime, &["beyond its deadline"]),
        // Whichever looks first: the machine forgot the call, or its time is over.
        (Broken::Silent, &["deadlines of calls", "beyond its deadline"]),
        (Broken::SentTwice, &["sent twice"]),
        (Broken::Impostor, &["not meant for"]),
    ] {
        // Their panics are shown with the output of this test: they are what it wants.
        let caught = (0..20).find_map(|seed| {
            let life = AssertUnwindSafe(|| Life::of(seed, Some(broken)));
            catch_unwind(life).err()
        });
        let caught = caught.unwrap_or_else(|| panic!("nobody noticed {broken:?}"));
        let text = caught.downcast_ref::<String>().map_or("", String::as_str);
        assert!(why.iter().any(|why| text.contains(why)), "{broken:?}: {text}");
    }
}

fn seeds() -> Box<dyn Iterator<Item = u64>> {
    let number = |name| Some(env::var(name).ok()?.parse::<u64>().expect("a number"));
    match number("PSEUD_SEED") {
        Some(seed) => Box::new(std::iter::once(seed)),
        None => Box::new(0..number("PSEUD_SEEDS").unwrap_or(SEEDS)),
    }
}

/// What a life came to.
struct Life {
    digest: u64,
    tally: Tally,
}

impl Life {
    /// Lives it: trouble first, then everything heals, then the end.
    fn of(seed: u64, broken: Option<Broken>) -> Self {
        let _told = Told { seed, wanted: broken.is_none() };
        let mut crowd = Crowd::new(Chance::new(seed), broken);
        for client in 1..crowd.members.len() {
            crowd.connect(client);
        }
        for _ in 0..STEPS {
            let happening = crowd.chance.next();
            happen(&mut crowd, happening);
            crowd.check();
        }
        heal(&mut crowd);
        end(&mut crowd);
        Self { digest: crowd.digest, tally: honest(crowd.ledger.check(FOREVER)) }
    }
}

fn happen(crowd: &mut Crowd, happening: Happening) {
    let member = crowd.chance.up_to(crowd.members.len());
    let client = 1 + crowd.chance.up_to(crowd.members.len() - 1);
    let wire = crowd.chance.pick(crowd.wires.len());
    let held = crowd.chance.pick(crowd.members[member].held.len());
    match (happening, wire, held) {
        (Happening::Bytes, Some(wire), _) => {
            let chunk = crowd.chance.weather.chunk();
            for _ in 0..crowd.chance.up_to(20) {
                crowd.step(wire, chunk);
            }
        }
        (Happening::ClientCalls, ..) => drop(crowd.call(client, To::Server)),
        (Happening::ServerCalls, ..) => drop(crowd.call(SERVER, To::Identity(name(client)))),
        (Happening::Answer, _, Some(index)) => {
            let answers = [Answer::Value, Answer::Value, Answer::Fault, Answer::Abandon];
            let answer = answers[crowd.chance.up_to(4)];
            crowd.answer(member, index, answer);
        }
        (Happening::CallBack, _, Some(index)) => crowd.call_back(member, index),
        (Happening::Cancel, ..) => {
            let calls: Vec<_> = crowd.members[member].calls.keys().copied().collect();
            if let Some(index) = crowd.chance.pick(calls.len()) {
                crowd.cancel(member, calls[index]);
            }
        }
        (Happening::Wait, ..) => {
            let wait = crowd.chance.weather.pause();
            crowd.pass(wait);
        }
        (Happening::LongWait, ..) => {
            let wait = crowd.chance.weather.silence();
            crowd.pass(wait);
        }
        (Happening::Cut, Some(wire), _) => Trouble::Cut.strike(&mut crowd.wires[wire]),
        (Happening::Connect, ..) => crowd.connect(client),
        (Happening::Stop, Some(wire), _) => {
            crowd.chance.weather.stop().strike(&mut crowd.wires[wire]);
        }
        (Happening::Flow, Some(wire), _) => {
            Trouble::Flow.strike(&mut crowd.wires[wire]);
        }
        (Happening::UserCalled, ..) => {
            let id = crowd.users.any(&mut crowd.chance);
            let several = crowd.chance.several();
            let known = crowd.chance.up_to(3) == 0;
            let to = if known { To::Known { id, several } } else { To::User { id, several } };
            crowd.call(SERVER, to);
        }
        (Happening::Revoke, ..) => {
            let user = ["alice", "bob"][crowd.chance.up_to(2)];
            crowd.revoke(user);
        }
        (Happening::Repeat, Some(wire), _) => {
            let up = crowd.chance.up_to(2) == 0;
            crowd.repeat(wire, up);
        }
        (_, _, _) => {}
    }
}

/// All wires flow, all handlers answer; a client without a link gets one, and its call succeeds.
fn heal(crowd: &mut Crowd) {
    for wire in &mut crowd.wires {
        Trouble::Flow.strike(wire);
    }
    for _ in 0..20 {
        crowd.pass(ms(500));
        crowd.settle();
        for member in 0..crowd.members.len() {
            for index in (0..crowd.members[member].held.len()).rev() {
                crowd.answer(member, index, Answer::Value);
            }
        }
        crowd.check();
    }
    let before = honest(crowd.ledger.check(FOREVER)).values;
    let clients = crowd.members.len() - 1;
    for client in 1..=clients {
        crowd.connect(client);
        // A handshake of PLAIN is six times under way, 40 ms at most.
        for _ in 0..6 {
            crowd.settle();
            crowd.pass(ms(40));
        }
        crowd.settle();
        crowd.ask_and_answer(client);
    }
    assert_eq!(
        honest(crowd.ledger.check(FOREVER)).values,
        before + clients,
        "a healed client is served"
    );
}

/// Everybody shuts down: nothing is left anywhere.
fn end(crowd: &mut Crowd) {
    crowd.call(1, To::Server);
    for member in 0..crowd.members.len() {
        crowd.members[member].node.borrow_mut().shutdown();
    }
    crowd.collect();
    crowd.settle();
    honest(crowd.ledger.check(FOREVER));
    for member in &crowd.members {
        let endpoint = &member.node.borrow().endpoint;
        let stats = endpoint.stats();
        assert_eq!((stats.sessions, stats.calls_pending, stats.requests_open), (0, 0, 0));
        assert_eq!(stats.requests_open_bytes, 0);
        assert_eq!(endpoint.poll_timeout(), None);
    }
}

/// Says which seed it was, if it fails.
struct Told {
    seed: u64,
    wanted: bool,
}

impl Drop for Told {
    fn drop(&mut self) {
        if thread::panicking() && self.wanted {
            eprintln!(
                "live it again: PSEUD_SEED={} cargo test --test conformance swarm",
                self.seed
            );
        }
    }
}
