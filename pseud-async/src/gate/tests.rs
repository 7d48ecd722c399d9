//! The gate with a link that only notes its answer, and tasks that run when a test polls them.

use super::*;
use pseud_proto::zmtp::Secret;
use pseud_proto::{Config, Reason};
use std::future::{pending, ready};
use std::sync::Mutex;
use std::time::Instant;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;
type Tasks = Arc<Mutex<Vec<Task>>>;

/// What was answered, and whether it has ended.
#[derive(Debug, Default)]
struct Noted(Mutex<(Vec<Verdict>, bool)>);

impl AnyLink for Noted {
    fn flush_now(&self, _: &Arc<Hub>) {}

    fn wake_to_flush(&self) {}

    fn close(&self, _: Reason) {}

    fn answer(self: Arc<Self>, _: &Arc<Hub>, verdict: Verdict) {
        self.0.lock().unwrap().0.push(verdict);
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
    tasks: Tasks,
}

impl Bench {
    /// So many may wait.
    fn new(authenticator: Authenticator, questions_parked_max: usize) -> Self {
        let tasks = Tasks::default();
        let spawned = tasks.clone();
        let runtime = crate::Runtime {
            clock: Instant::now,
            spawn: Box::new(move |task| spawned.lock().unwrap().push(task)),
            spawn_blocking: Box::new(|_| {}),
        };
        let gate = Gate { authenticator: Some(authenticator), questions_parked_max };
        let hub = Hub::new(Arc::new(Config::default()), runtime).unwrap().with_gate(gate);
        Self { hub: Arc::new(hub), tasks }
    }

    fn ask(&self) -> (Arc<Noted>, Option<Verdict>) {
        let link = Arc::new(Noted::default());
        let asked: Arc<dyn AnyLink> = link.clone();
        let question = Question::Plain { username: "me".into(), password: Secret::new("x") };
        (link, ask(&self.hub, &asked, question, "here"))
    }

    fn parked(&self) -> usize {
        self.hub.doors.parked.load(Ordering::Acquire)
    }

    /// Polls every task once; those that are done go.
    fn turn(&self) {
        let mut cx = Context::from_waker(Waker::noop());
        self.tasks.lock().unwrap().retain_mut(|task| task.as_mut().poll(&mut cx).is_pending());
    }
}

fn told(link: &Noted) -> Vec<Verdict> {
    link.0.lock().unwrap().0.clone()
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
fn an_answer_at_once_costs_no_place() {
    let bench = Bench::new(Authenticator::new(|_| ready(Verdict::Deny)), 0);
    let (link, answer) = bench.ask();
    assert_eq!((answer, told(&link), bench.parked()), (Some(Verdict::Deny), vec![], 0));
    assert!(bench.tasks.lock().unwrap().is_empty());
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
    drop(bench.tasks.lock().unwrap().remove(0));
    assert_eq!((told(&first), told(&second)), (vec![Verdict::Unavailable], vec![]));
    assert_eq!(bench.parked(), 1);
    bench.tasks.lock().unwrap().clear();
    assert_eq!((told(&second), bench.parked()), (vec![Verdict::Unavailable], 0));
}

#[test]
fn a_link_that_ended_is_asked_about_no_longer() {
    let bench = Bench::new(silent(), 1);
    let (link, _) = bench.ask();
    bench.turn();
    assert_eq!(bench.parked(), 1);
    link.0.lock().unwrap().1 = true;
    bench.turn();
    assert_eq!((bench.parked(), bench.tasks.lock().unwrap().len()), (0, 0));
    assert_eq!(Arc::strong_count(&link), 1, "nobody holds what is over");
}

#[test]
fn g_12_no_more_wait_than_may() {
    let bench = Bench::new(silent(), 3);
    let answers: Vec<_> = (0..5).map(|_| bench.ask().1).collect();
    let too_many = Some(Verdict::Unavailable);
    assert_eq!(answers, [None, None, None, too_many.clone(), too_many]);
    assert_eq!(bench.parked(), 3);
    drop(bench.tasks.lock().unwrap().pop());
    assert_eq!((bench.ask().1, bench.parked()), (None, 3));
}
