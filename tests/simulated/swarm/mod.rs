//! A thousand lives of a server and its clients: calls both ways and within calls, given up and timed
//! out, over links that are lost, taken over, ended and told to drain, to servers that ask for a password or do
//! not, with tables of any size. What every caller is told is true, and who is there is known.

pub(crate) mod book;
mod callers;
mod counts;
mod doors;
mod errands;
mod handlers;
mod life;
mod repeater;
mod troubles;
mod watcher;

use counts::Counts;
use life::Life;
use pseud_testkit::ledger::{Tally, assert_lies_are_caught};
use pseud_testkit::sim;
use std::num::NonZero;
use std::sync::Mutex;
use std::thread;

/// How many lives there are, unless `PSEUD_SEEDS` says otherwise.
const LIVES: u64 = 1_000;

/// Lives those seeds on as many threads as the machine has; a life that breaks a promise panics.
fn live_all(seeds: impl IntoIterator<Item = u64>) -> Vec<Life> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let (seeds, lives) = (Mutex::new(seeds.into_iter().collect::<Vec<_>>()), Mutex::default());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let Some(seed) = seeds.lock().unwrap().pop() else { break };
                    let life = life::live(seed);
                    let lives: &Mutex<Vec<Life>> = &lives;
                    lives.lock().unwrap().push(life);
                }
            });
        }
    });
    lives.into_inner().unwrap()
}

#[test]
fn whole_nodes_keep_their_promises() {
    let lives = live_all(sim::seeds(LIVES));
    let all = lives.iter().fold(Tally::default(), |all, life| all.and(life.tally));
    let counts = lives.iter().fold(Counts::default(), |all, life| all.and(&life.counts));
    println!("{} lives: {:?}, {all:?}", lives.len(), counts.all());
    assert!(all.values > 0, "{all:?}");
    if lives.len() >= 100 {
        let some = [all.faults, all.not_executed, all.unknown, all.unknown_but_run, all.closed];
        assert!(some.iter().all(|count| *count > 0), "no call ended so: {all:?}");
        for (what, count) in counts.all() {
            assert!(count > 0, "in none of these lives: {what}");
        }
    }
}

/// One in a hundred is lived again.
#[test]
fn a_seed_is_one_life() {
    let seeds = || sim::seeds(LIVES).step_by(100);
    let digests = || {
        let mut lives: Vec<_> =
            live_all(seeds()).iter().map(|life| (life.seed, life.digest)).collect();
        lives.sort_unstable();
        lives
    };
    let first = digests();
    assert_eq!(digests(), first);
    let mut different: Vec<_> = first.iter().map(|(_, digest)| digest).collect();
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), first.len(), "two seeds are one life");
}

#[test]
fn the_judge_of_these_lives_sees_lies() {
    let doubtful = (0..).map(life::live).find(|life| life.tally.unknown_but_run > 0);
    assert_lies_are_caught(&doubtful.unwrap().ledger);
}
