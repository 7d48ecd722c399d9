//! The admission with a link that only notes its answer, and tasks that run when a test polls them.

use super::*;
use crate::auth::authenticator::Authenticator;
use crate::auth::places::Admission;
use crate::runtime::tests::ByHand;
use pseud_proto::zmtp::Secret;
use pseud_proto::{Config, Reason};
use std::future::{pending, ready};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// What was answered, and whether it has ended.
#[derive(Debug, Default)]
struct Noted(Mutex<(Vec<Verdict>, bool)>);

impl AnyLink for Noted {
    fn flush_now(&self) {}

    fn wake_to_flush(&self) {}

    fn close(&self, _: Reason) {}

    fn answer(self: Arc<Self>, verdict: Verdict) {
        self.0.lock().unwrap().0.push(verdict);
    }

    fn answer_by(&self) -> Option<Instant> {
        Some(Instant::now())
    }

    fn denies(&self, _: String) {}

    fn poll_ended(&self, _: &mut Context<'_>) -> Poll<()> {
        match self.0.lock().unwrap().1 {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

struct Bench {
    hub: Arc<Hub>,
    admissions: Admissions,
    /// When it is late the handshakes' time is up.
    runtime: ByHand,
}

impl Bench {
    /// So many may wait.
    fn new(authenticator: Authenticator, questions_parked_max: usize) -> Self {
        let runtime = ByHand::default();
        let admission = Admission {
            authenticator: Some(authenticator),
            questions_parked_max,
            ..Admission::default()
        };
        let hub = Hub::new(Arc::new(Config::default()), runtime.clone()).unwrap();
        Self { hub: Arc::new(hub), admissions: Admissions::new(admission), runtime }
    }

    fn ask(&self) -> (Arc<Noted>, Option<Verdict>) {
        let link = Arc::new(Noted::default());
        let asked: Arc<dyn AnyLink> = link.clone();
        let question = Question::Plain { username: "me".into(), password: Secret::new("x") };
        (link, ask(&self.hub, &self.admissions, &asked, question, "here"))
    }

    /// Places that are taken.
    fn parked(&self) -> usize {
        self.admissions.taken()
    }

    /// Polls every task once; those that are done go.
    fn turn(&self) {
        self.runtime.turn(Waker::noop());
    }
}

fn told(link: &Noted) -> Vec<Verdict> {
    link.0.lock().unwrap().0.clone()
}

fn end(link: &Noted) {
    link.0.lock().unwrap().1 = true;
}

/// Pending once, then that.
fn late<T>(value: impl FnOnce() -> T) -> impl Future<Output = T> {
    let (mut is_due, mut value) = (false, Some(value));
    poll_fn(move |_| match std::mem::replace(&mut is_due, true) {
        true => Poll::Ready(value.take().unwrap()()),
        false => Poll::Pending,
    })
}

fn silent() -> Authenticator {
    Authenticator::new(|_| pending())
}

#[test]
fn an_answer_at_once_leaves_its_place_at_once() {
    let bench = Bench::new(Authenticator::new(|_| ready(Verdict::Deny)), 1);
    for _ in 0..3 {
        let (link, answer) = bench.ask();
        assert_eq!((answer, told(&link), bench.parked()), (Some(Verdict::Deny), vec![], 0));
    }
    assert!(bench.runtime.tasks.lock().unwrap().is_empty());
}

#[test]
fn a_late_answer_and_a_late_panic_give_their_places_back() {
    let bench = Bench::new(Authenticator::new(|_| late(|| Verdict::Deny)), 2);
    let (link, answer) = bench.ask();
    assert_eq!((answer, bench.parked()), (None, 1));
    bench.turn();
    assert_eq!((told(&link), bench.parked()), (vec![Verdict::Deny], 0));

    let bench = Bench::new(Authenticator::new(|_| late(|| panic!("on purpose"))), 2);
    let (link, answer) = bench.ask();
    assert_eq!((answer, bench.parked()), (None, 1));
    bench.turn();
    assert_eq!((told(&link), bench.parked()), (vec![Verdict::Unavailable], 0));
}

#[test]
fn a_killed_task_has_answered_that_nobody_can_tell() {
    let bench = Bench::new(silent(), 2);
    let ((first, _), (second, _)) = (bench.ask(), bench.ask());
    bench.turn();
    assert_eq!((told(&first), bench.parked()), (vec![], 2));
    drop(bench.runtime.tasks.lock().unwrap().remove(0));
    assert_eq!((told(&first), told(&second)), (vec![Verdict::Unavailable], vec![]));
    assert_eq!(bench.parked(), 1);
    bench.runtime.tasks.lock().unwrap().clear();
    assert_eq!((told(&second), bench.parked()), (vec![Verdict::Unavailable], 0));
}

#[test]
fn s_05_a_question_is_in_work_until_its_future_ends_or_the_handshakes_time_is_up() {
    let bench = Bench::new(Authenticator::new(|_| late(|| Verdict::Deny)), 1);
    let (link, _) = bench.ask();
    end(&link);
    assert_eq!((bench.ask().1, bench.parked()), (Some(Verdict::Unavailable), 1));
    bench.turn();
    assert_eq!((bench.parked(), bench.runtime.tasks.lock().unwrap().len()), (0, 0));
    assert_eq!(told(&link), [Verdict::Deny], "which means nothing to a link that is over");

    let bench = Bench::new(silent(), 1);
    let (link, _) = bench.ask();
    bench.turn();
    end(&link);
    bench.turn();
    assert_eq!(bench.parked(), 1);
    bench.runtime.late.store(true, Ordering::Relaxed);
    bench.turn();
    assert_eq!((bench.parked(), bench.runtime.tasks.lock().unwrap().len()), (0, 0));
    assert_eq!(Arc::strong_count(&link), 1, "nobody holds what is over");
}

/// The link watches that time itself as long as it lives.
#[test]
fn a_link_that_lives_is_not_given_up() {
    let bench = Bench::new(silent(), 1);
    let (link, _) = bench.ask();
    bench.runtime.late.store(true, Ordering::Relaxed);
    bench.turn();
    assert_eq!((told(&link), bench.parked()), (vec![], 1));
}

#[test]
fn s_05_a_place_is_taken_before_the_authenticator_is_asked() {
    let asked = Arc::new(AtomicBool::new(false));
    let spy = asked.clone();
    let authenticator = Authenticator::new(move |_| {
        spy.store(true, Ordering::Relaxed);
        ready(Verdict::Deny)
    });
    let bench = Bench::new(authenticator, 0);
    assert_eq!(bench.ask().1, Some(Verdict::Unavailable));
    assert!(!asked.load(Ordering::Relaxed));
}

#[test]
fn s_05_a_permit_holds_the_place_of_work_that_outlives_its_future() {
    let held = Arc::new(Mutex::new(None));
    let work = held.clone();
    let authenticator = Authenticator::with_permit(move |_, _, permit| {
        *work.lock().unwrap() = Some(permit);
        ready(Verdict::Deny)
    });
    let bench = Bench::new(authenticator, 1);
    assert_eq!((bench.ask().1, bench.parked()), (Some(Verdict::Deny), 1));
    assert_eq!(bench.ask().1, Some(Verdict::Unavailable));
    *held.lock().unwrap() = None;
    assert_eq!((bench.ask().1, bench.parked()), (Some(Verdict::Deny), 1));
}

#[test]
fn s_05_blocking_work_holds_its_place_until_it_returns() {
    let bench = Bench::new(Authenticator::blocking(|_, _| Verdict::Deny), 2);
    let ((first, answer), (second, _)) = (bench.ask(), bench.ask());
    assert_eq!((answer, bench.parked()), (None, 2));
    assert_eq!(bench.ask().1, Some(Verdict::Unavailable));
    end(&first);
    assert_eq!(bench.parked(), 2, "its work may have begun");
    bench.runtime.run_jobs();
    assert_eq!((told(&second), bench.parked()), (vec![Verdict::Deny], 0));
    assert_eq!(told(&first), [Verdict::Unavailable], "it was not asked about");
    // A runtime that goes away runs no more of them.
    let (third, _) = bench.ask();
    bench.runtime.jobs.lock().unwrap().clear();
    assert_eq!((told(&third), bench.parked()), (vec![Verdict::Unavailable], 0));
}

/// Panics as it is dropped, with another of its kind, so many times.
struct Bomb(u32);

impl Drop for Bomb {
    fn drop(&mut self) {
        if let Some(left) = self.0.checked_sub(1) {
            std::panic::panic_any(Bomb(left));
        }
    }
}

/// Pending for ever; panics as it is dropped.
fn fuse(bomb: Bomb) -> impl Future<Output = Verdict> {
    poll_fn(move |_| {
        let _ = &bomb;
        Poll::Pending
    })
}

#[test]
fn s_16_panics_whose_payloads_panic_are_answers() {
    let explode = || -> Verdict { std::panic::panic_any(Bomb(3)) };
    let at_once = [
        Authenticator::new(move |_| ready(explode())),
        Authenticator::new(move |_| async move { explode() }),
    ];
    for authenticator in at_once {
        let bench = Bench::new(authenticator, 1);
        assert_eq!((bench.ask().1, bench.parked()), (Some(Verdict::Unavailable), 0));
    }
    let bench = Bench::new(Authenticator::new(move |_| late(explode)), 1);
    let (link, _) = bench.ask();
    bench.turn();
    assert_eq!((told(&link), bench.parked()), (vec![Verdict::Unavailable], 0));

    let bench = Bench::new(Authenticator::blocking(move |_, _| explode()), 1);
    let (link, _) = bench.ask();
    let job = bench.runtime.jobs.lock().unwrap().remove(0);
    job();
    assert_eq!((told(&link), bench.parked()), (vec![Verdict::Unavailable], 0));

    let bench = Bench::new(Authenticator::new(|_| fuse(Bomb(3))), 1);
    let (link, _) = bench.ask();
    bench.runtime.tasks.lock().unwrap().clear();
    assert_eq!((told(&link), bench.parked()), (vec![Verdict::Unavailable], 0));
}

#[test]
fn g_12_no_more_wait_than_may() {
    let bench = Bench::new(silent(), 3);
    let answers: Vec<_> = (0..5).map(|_| bench.ask().1).collect();
    let too_many = Some(Verdict::Unavailable);
    assert_eq!(answers, [None, None, None, too_many.clone(), too_many]);
    assert_eq!(bench.parked(), 3);
    drop(bench.runtime.tasks.lock().unwrap().pop());
    assert_eq!((bench.ask().1, bench.parked()), (None, 3));
}
