use super::*;
use crate::runtime::tests::ByHand;
use pseud_proto::peer::PeerInfo;
use std::sync::atomic::{AtomicUsize, Ordering};

const fn from(last: u8) -> JobOwner {
    JobOwner::Address(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, last)))
}

/// A pool whose threads run when told, and what has run on them.
struct Pool {
    runtime: ByHand,
    jobs: BlockingJobs,
    ran: Arc<Mutex<Vec<u8>>>,
}

impl Pool {
    fn new(threads_max: usize) -> Self {
        let runtime = ByHand::default();
        let jobs = BlockingJobs::new(Arc::new(runtime.clone()), threads_max);
        Self { runtime, jobs, ran: Arc::default() }
    }

    fn ask(&self, who: u8, count: usize) {
        for _ in 0..count {
            let ran = self.ran.clone();
            self.jobs.run(from(who), None, Box::new(move || ran.lock().unwrap().push(who)));
        }
    }

    /// How many have a thread.
    fn begun(&self) -> usize {
        self.runtime.jobs.lock().unwrap().len()
    }

    fn is_empty(&self) -> bool {
        let state = self.jobs.0.lock();
        state.running == 0
            && state.lines.is_empty()
            && state.turns.is_empty()
            && state.shares.is_empty()
    }
}

/// S-07: whoever comes next finds a thread at once.
#[test]
fn one_peer_takes_half_and_the_next_begins_at_once() {
    let pool = Pool::new(8);
    pool.ask(1, 1_000);
    assert_eq!(pool.begun(), 4);
    pool.ask(2, 1_000);
    assert_eq!(pool.begun(), 6);
    pool.ask(3, 1);
    assert_eq!(pool.begun(), 7);
    pool.runtime.run_jobs();
    assert_eq!(pool.ran.lock().unwrap().len(), 2_001);
    assert!(pool.is_empty());
}

/// S-04: jobs that never end leave a thread to each of those who come, as long as the quarter lasts.
#[test]
fn a_quarter_is_for_who_has_none_running() {
    let pool = Pool::new(16);
    (1..=3).for_each(|who| pool.ask(who, 1_000));
    assert_eq!(pool.begun(), 12);
    pool.ask(5, 1_000);
    assert_eq!(pool.begun(), 13, "one each");
    (6..=8).for_each(|who| pool.ask(who, 1));
    assert_eq!(pool.begun(), 16);
    pool.ask(9, 1);
    assert_eq!(pool.begun(), 16);
}

/// S-04: whoever leaves and comes again is still who it was, and many sessions of one user are one.
#[test]
fn sessions_of_one_user_share_threads() {
    let pool = Pool::new(16);
    let alice = PeerInfo::new("x".into()).with_user("alice");
    let ask = |who: u8, share: Option<ShareOwner>| {
        for _ in 0..100 {
            pool.jobs.run(from(who), share.clone(), Box::new(|| {}));
        }
    };
    for who in 1..100 {
        ask(who, ShareOwner::of(&alice));
        pool.jobs.leave(from(who));
        assert_eq!(pool.begun(), 8);
    }
    ask(100, None);
    assert_eq!(pool.begun(), 11);
    pool.runtime.run_jobs();
    assert!(pool.is_empty());
}

#[test]
fn one_thread_is_enough_and_peers_take_turns() {
    let pool = Pool::new(1);
    pool.ask(1, 3);
    pool.ask(2, 2);
    assert_eq!(pool.begun(), 1);
    pool.runtime.run_jobs();
    assert_eq!(*pool.ran.lock().unwrap(), [1, 1, 2, 1, 2]);
    assert!(pool.is_empty());
}

/// S-04: only what was begun outlives its caller.
#[test]
fn who_leaves_takes_along_what_has_not_begun() {
    struct Held(Arc<AtomicUsize>);
    impl Drop for Held {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
    }
    let (pool, held) = (Pool::new(2), Arc::new(AtomicUsize::new(100)));
    for _ in 0..100 {
        let held = Held(held.clone());
        pool.jobs.run(from(1), None, Box::new(move || drop(held)));
    }
    pool.ask(2, 1);
    pool.jobs.leave(from(1));
    assert_eq!(held.load(Ordering::Relaxed), 1);
    pool.runtime.run_jobs();
    assert_eq!(*pool.ran.lock().unwrap(), [2]);
    assert!(pool.is_empty());
    assert_eq!(held.load(Ordering::Relaxed), 0);
}

/// What a runtime that goes away drops is given back, and what waited for it, too.
#[test]
fn a_runtime_that_is_gone_leaves_nothing_behind() {
    let pool = Pool::new(4);
    pool.ask(1, 10);
    pool.runtime.jobs.lock().unwrap().clear();
    assert!(pool.is_empty());
    assert!(pool.ran.lock().unwrap().is_empty());
}

#[test]
fn a_panic_costs_its_thread_alone() {
    let pool = Pool::new(1);
    pool.jobs.run(from(1), None, Box::new(|| std::panic::resume_unwind(Box::new(()))));
    pool.ask(1, 2);
    let begun = std::mem::take(&mut *pool.runtime.jobs.lock().unwrap());
    for job in begun {
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)).is_err());
    }
    pool.runtime.run_jobs();
    assert_eq!(*pool.ran.lock().unwrap(), [1, 1]);
    assert!(pool.is_empty());
}

#[test]
fn a_crowd_leaves_no_room_behind_whoever_stays() {
    let pool = Pool::new(2);
    (0..200).for_each(|who| pool.ask(who, 3));
    (1..200).for_each(|who| pool.jobs.leave(from(who)));
    let state = pool.jobs.0.lock();
    assert_eq!(state.lines.len(), 1);
    assert!(state.lines.capacity() <= 2 * KEPT_MAX && state.turns.capacity() <= 2 * KEPT_MAX);
    drop(state);
    pool.runtime.run_jobs();
    assert!(pool.is_empty());
}
