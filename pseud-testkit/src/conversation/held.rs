//! Where conversations are held, and how often.

use super::nodes::judge;
use crate::sim::{Conditions, Sim, seeds, sleep};
use std::future::Future;
use std::io::Write;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Under how many seeds a conversation is held, unless `PSEUD_SEEDS` says otherwise.
const SEEDS: u64 = 20;

/// When everything that any node waits for is over: handshakes, farewells, time-outs.
const LATE: Duration = Duration::from_secs(120);

/// What all conversations of this program were until now.
struct Held {
    conversations: u64,
    worlds: u64,
    took: Duration,
}

static HELD: Mutex<Held> = Mutex::new(Held { conversations: 0, worlds: 0, took: Duration::ZERO });

/// Holds a conversation in a world of its own under each seed: without any weather under the first, in
/// wind under the others, where one more run of the second seed must do the same. No link is lost in it but
/// by what the conversation does. Whatever the weather, each session begins once and leaves once, and of
/// the nodes nothing is left.
///
/// # Panics
/// Where it does; the command that holds it again under that seed alone was printed then.
pub fn in_all_weathers<F: Future<Output = ()>>(name: &str, conversation: impl Fn() -> F) {
    let (began, seeds) = (Instant::now(), seeds(SEEDS));
    let (mut worlds, mut sessions) = (0, 0);
    for seed in seeds.clone() {
        let conditions = || if seed == 0 { Conditions::calm() } else { Conditions::windy() };
        let (digest, count) = hold(name, seed, conditions(), &conversation);
        sessions += count;
        worlds += 1;
        if seed == 1 || seeds.end - seeds.start == 1 {
            let again = hold(name, seed, conditions(), &conversation).0;
            assert_eq!(again, digest, "{name}: seed {seed} was another run the second time");
        }
    }
    tell(name, worlds, sessions, began.elapsed());
}

/// One world: its digest, and how many sessions its nodes had.
fn hold<F: Future<Output = ()>>(
    name: &str,
    seed: u64,
    conditions: Conditions,
    conversation: impl Fn() -> F,
) -> (u64, usize) {
    let _failing = Failing(name, seed);
    let mut sim = Sim::new(seed, conditions);
    sim.run(conversation());
    let digest = sim.digest();
    sim.run(sleep(LATE));
    let left = sim.runtime().tasks();
    assert_eq!(left, 0, "tasks are left of nodes that have ended");
    (digest, judge())
}

/// Says how a world that fails is lived again.
struct Failing<'a>(&'a str, u64);

impl Drop for Failing<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let (program, test) = self.0.split_once("::").unwrap_or(("", self.0));
            eprintln!("PSEUD_SEED={} cargo test --test {program} {test}", self.1);
        }
    }
}

/// Past the harness, which shows nothing of tests that pass.
fn tell(name: &str, worlds: u64, sessions: usize, took: Duration) {
    let mut held = HELD.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    held.conversations += 1;
    held.worlds += worlds;
    held.took += took;
    let Held { conversations, worlds: all, took: whole } = &*held;
    let _ = writeln!(
        std::io::stderr(),
        "{name}: {worlds} seeds, {sessions} sessions in {took:.0?} \
         ({conversations} conversations: {all} seeds in {whole:.1?})"
    );
}

/// Holds a conversation over real sockets, on tokio: on this thread, or on so many workers.
pub fn over_sockets(workers: usize, conversation: impl Future<Output = ()>) {
    let mut builder = match workers {
        0 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    if workers > 0 {
        builder.worker_threads(workers);
    }
    builder.enable_all().build().expect("a runtime").block_on(conversation);
}
