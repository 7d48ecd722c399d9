//! Strangers who guess passwords at an authenticator that works for each (S-05).

use crate::bench::Bench;
use pseud::{Authenticator, Options, Question, Secret, Verdict};
use pseud_testkit::raw::RawPeer;
use pseud_testkit::raw::{command, greeting_of};
use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::{JoinSet, spawn_blocking};

/// Questions that may be in work.
const BOUND: usize = 16;
const CONNECTIONS: usize = 400;
/// How long an attack goes on.
const ATTACK: Duration = Duration::from_secs(2);
/// What one guess costs.
const WORK: Duration = Duration::from_millis(100);

/// How much was begun, how much is in work, and the most that was.
#[derive(Debug, Default)]
struct Load {
    begun: AtomicUsize,
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Load {
    /// Does the work of one guess, on this thread.
    fn work(&self) -> Verdict {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        std::thread::sleep(WORK);
        self.now.fetch_sub(1, Ordering::SeqCst);
        Verdict::Deny
    }
}

fn is_canary(question: &Question) -> bool {
    matches!(question, Question::Plain { username, .. } if username == "canary")
}

/// One of 400 connections: guesses, and comes again. It hears the answer, or leaves at once.
async fn guess(address: std::net::SocketAddr, until: Instant, stays: bool) {
    let hello = command("HELLO", b"\x07mallory\x05guess");
    while Instant::now() < until {
        let mut wire = RawPeer::connect(address).await;
        wire.try_send(&[greeting_of("PLAIN"), hello.clone()].concat()).await;
        match stays {
            true => drop(wire.closed().await),
            false => wire.reset(),
        }
    }
}

async fn attacked(authenticator: Authenticator, load: &Load) {
    let mut options = Options::server("service").plain_server(authenticator);
    options.admission.questions_parked_max = BOUND;
    // What is bounded when nothing else bounds it.
    let strangers = &mut options.admission.strangers;
    (strangers.handshakes_drop_from, strangers.handshakes_max) = (CONNECTIONS, CONNECTIONS + 1);
    strangers.user_failures_free = u32::MAX;
    let canary = Options::client("service").plain_client("canary", Secret::new("x"));
    let bench = Bench::between(options, canary).await;
    let until = Instant::now() + ATTACK;
    let mut guesses = JoinSet::new();
    for index in 0..CONNECTIONS {
        guesses.spawn(guess(bench.address, until, index % 2 == 0));
    }
    while Instant::now() < until {
        bench.canary().await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    while let Some(guess) = guesses.join_next().await {
        guess.unwrap();
        bench.canary().await;
    }
    let (begun, most) = (load.begun.load(Ordering::SeqCst), load.most.load(Ordering::SeqCst));
    println!("{begun} guesses were worked on, {most} of them at once");
    assert!((1..=BOUND).contains(&most), "{most} at once");
    // What was in work at the last moment may yet end.
    let possible = BOUND * (2 + (until.elapsed() + ATTACK).as_millis() / WORK.as_millis()) as usize;
    assert!((BOUND..=possible).contains(&begun), "{begun} begun");
    bench.over(0, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s_05_guesses_at_a_blocking_authenticator() {
    let load = Arc::new(Load::default());
    let check = load.clone();
    let authenticator = Authenticator::blocking(move |question, _| match is_canary(&question) {
        true => Verdict::Admit("canary".into()),
        false => check.work(),
    });
    attacked(authenticator, &load).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s_05_guesses_at_an_authenticator_that_waits_for_a_thread() {
    let load = Arc::new(Load::default());
    let check = load.clone();
    let authenticator = Authenticator::new(move |question| {
        let (is_canary, check) = (is_canary(&question), check.clone());
        // Begun where it is asked, before its future is polled.
        let work = (!is_canary).then(|| spawn_blocking(move || check.work()));
        async move {
            match work {
                Some(work) => work.await.unwrap(),
                None => Verdict::Admit("canary".into()),
            }
        }
    });
    attacked(authenticator, &load).await;
}

/// It does not wait for its work: the permit stands for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s_05_guesses_at_an_authenticator_whose_work_holds_a_permit() {
    let load = Arc::new(Load::default());
    let check = load.clone();
    let authenticator = Authenticator::with_permit(move |question, _, permit| {
        let (is_canary, check) = (is_canary(&question), check.clone());
        if is_canary {
            return ready(Verdict::Admit("canary".into()));
        }
        drop(spawn_blocking(move || {
            check.work();
            drop(permit);
        }));
        ready(Verdict::Deny)
    });
    attacked(authenticator, &load).await;
}
