//! Handlers of callers that leave, in tasks that run when a test polls them.

use super::*;
use crate::hub::{Hub, Runtime};
use crate::request::Request;
use pseud_proto::peer::PeerInfo;
use pseud_proto::pseud::Dropped;
use pseud_proto::zmtp::Parts;
use pseud_proto::{Config, Fault, PeerId, Reason};
use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};
use std::time::Instant;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;
type Tasks = Arc<Mutex<Vec<Task>>>;
type Diary = Arc<Mutex<Vec<&'static str>>>;

const LARGE: usize = 100_000;

/// A hub that runs no more than three handlers, with two large requests, and what they write down.
struct Bench {
    hub: Arc<Hub>,
    tasks: Tasks,
    woken: Arc<Woken>,
    diary: Diary,
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Held by a handler: writes down that it is dropped, and may panic.
struct Held(Diary, bool);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.lock().unwrap().push("dropped");
        assert!(!self.1, "on purpose");
    }
}

impl Bench {
    fn new(orphans: Orphans) -> Self {
        let tasks = Tasks::default();
        let spawned = tasks.clone();
        let runtime = Runtime {
            clock: Instant::now,
            spawn: Box::new(move |task| spawned.lock().unwrap().push(task)),
            spawn_blocking: Box::new(|_| {}),
        };
        let mut config = Config::default();
        config.limits.requests_open_max = 3;
        config.limits.requests_open_bytes_max = 2 * LARGE + LARGE / 2;
        let hub = Hub::new(Arc::new(config), runtime).unwrap().with_orphans(orphans);
        let bench =
            Self { hub: Arc::new(hub), tasks, woken: Arc::default(), diary: Diary::default() };
        bench.register("waits", |_, _| pending());
        bench.register("asks", |request, diary| async move {
            request.cancelled().await;
            diary.lock().unwrap().push("told");
            pending::<()>().await;
        });
        bench.register("ends", |request, _| async move { request.cancelled().await });
        bench.register("breaks", |_, diary| async move {
            let _held = Held(diary, true);
            pending::<()>().await;
        });
        bench
    }

    /// A handler of that name, which waits with what it holds.
    fn register<Fut>(&self, name: &str, run: fn(Request, Diary) -> Fut)
    where
        Fut: Future<Output = ()> + Send + 'static,
    {
        let diary = self.diary.clone();
        let handler = move |request| {
            let (held, running) = (Held(diary.clone(), false), run(request, diary.clone()));
            async move {
                let _held = held;
                running.await;
                Ok::<_, Fault>(())
            }
        };
        self.hub.served.registry().register(name, handler).unwrap();
    }

    fn join(&self) -> PeerId {
        let info = PeerInfo::new("".into());
        let (peer, effects) =
            self.hub.with(|inner, now| inner.endpoint.handle_connected(info, now));
        effects.run(&self.hub, None);
        peer
    }

    fn leave(&self, peer: PeerId) {
        let gone = |inner: &mut crate::hub::Inner, now| {
            inner.endpoint.handle_gone(peer, Reason::PeerGone, now);
        };
        self.hub.with(gone).1.run(&self.hub, None);
    }

    /// That peer calls that name with so many bytes.
    fn call(&self, peer: PeerId, name: &str, size: usize) {
        let head = [&[0x93, 0xa0 | name.len() as u8], name.as_bytes(), b"\x91\xc6"].concat();
        let body = [&head, &(size as u32).to_be_bytes()[..], &vec![0; size], b"\x80"].concat();
        let parts = Parts::from_frames(&[b"", b"v1".as_slice(), b"", b"\x03", &body]).unwrap();
        let (handled, effects) =
            self.hub.with(|inner, now| inner.endpoint.handle_message(peer, parts, now));
        handled.unwrap();
        effects.run(&self.hub, None);
    }

    /// Polls every task once, and lets go of those that are done; how many are left.
    fn turn(&self) -> usize {
        let waker = Waker::from(self.woken.clone());
        let mut tasks = self.tasks.lock().unwrap();
        tasks.retain_mut(|task| task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        tasks.len()
    }

    fn woken(&self) -> usize {
        self.woken.0.swap(0, Ordering::SeqCst)
    }

    fn diary(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.diary.lock().unwrap())
    }

    /// No handler runs, nobody waits for a signal, and that many were for nobody.
    fn over(&self, orphans: u64) {
        assert_eq!(self.hub.running.now(), (0, 0));
        let inner = self.hub.lock();
        assert!(inner.cancelling.is_empty());
        assert_eq!(inner.endpoint.stats().dropped(Dropped::CallerGone), orphans);
        assert_eq!(inner.endpoint.stats().requests_open, 0);
    }
}

#[test]
fn a_handler_that_waits_is_dropped_when_its_caller_leaves() {
    let bench = Bench::new(Orphans::Cancel);
    let peer = bench.join();
    bench.call(peer, "waits", 0);
    assert_eq!((bench.turn(), bench.woken(), bench.diary()), (1, 0, vec![]));
    bench.leave(peer);
    assert_eq!((bench.woken(), bench.diary()), (1, vec![]));
    assert_eq!((bench.turn(), bench.diary()), (0, vec!["dropped"]));
    bench.over(1);
}

#[test]
fn a_handler_whose_caller_leaves_before_its_task_runs() {
    let bench = Bench::new(Orphans::Cancel);
    let peer = bench.join();
    bench.call(peer, "asks", 0);
    bench.leave(peer);
    assert_eq!((bench.turn(), bench.diary()), (0, vec!["told", "dropped"]));
    bench.over(1);
}

#[test]
fn a_handler_that_waits_for_the_signal_is_polled_once_more() {
    let bench = Bench::new(Orphans::Cancel);
    let peer = bench.join();
    bench.call(peer, "asks", 0);
    bench.call(peer, "ends", 0);
    assert_eq!((bench.turn(), bench.diary()), (2, vec![]));
    bench.leave(peer);
    assert_eq!(bench.turn(), 0);
    assert_eq!(bench.diary(), ["told", "dropped", "dropped"]);
    bench.over(2);
}

#[test]
fn a_panic_as_it_is_dropped_is_caught() {
    let bench = Bench::new(Orphans::Cancel);
    let peer = bench.join();
    bench.call(peer, "breaks", 0);
    assert_eq!(bench.turn(), 1);
    bench.leave(peer);
    assert_eq!((bench.turn(), bench.diary()), (0, vec!["dropped", "dropped"]));
    bench.over(1);
}

#[test]
fn those_of_a_node_that_ends_are_dropped() {
    let bench = Bench::new(Orphans::Cancel);
    let peer = bench.join();
    bench.call(peer, "waits", 0);
    assert_eq!(bench.turn(), 1);
    bench.hub.shutdown();
    assert_eq!((bench.turn(), bench.diary()), (0, vec!["dropped"]));
    bench.over(1);
}

#[test]
fn what_waits_for_a_predicate_is_not_begun_for_who_has_left() {
    let bench = Bench::new(Orphans::Finish);
    let registry = bench.hub.served.registry();
    registry.guard_async("default", |_| async {
        yield_once().await;
        true
    });
    let [stays, leaves] = [(); 2].map(|()| bench.join());
    bench.call(stays, "waits", 0);
    bench.call(leaves, "ends", 0);
    bench.leave(leaves);
    assert_eq!((bench.turn(), bench.diary()), (1, vec![]));
    bench.hub.shutdown();
    assert_eq!(bench.turn(), 1, "it is to finish");
}

#[test]
fn a_predicate_that_panics_as_it_is_dropped_harms_nobody() {
    let bench = Bench::new(Orphans::Cancel);
    let diary = bench.diary.clone();
    bench.hub.served.registry().guard_async("default", move |_| {
        let held = Held(diary.clone(), true);
        async move {
            let _held = held;
            pending().await
        }
    });
    let peer = bench.join();
    bench.call(peer, "ends", 0);
    assert_eq!((bench.turn(), bench.diary()), (1, vec![]));
    bench.leave(peer);
    assert_eq!((bench.turn(), bench.diary()), (0, vec!["dropped"]));
    bench.over(1);
}

/// Pending once.
async fn yield_once() {
    let mut is_due = false;
    poll_fn(|_| match std::mem::replace(&mut is_due, true) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}

#[test]
fn one_that_is_to_finish_counts_until_it_does() {
    let bench = Bench::new(Orphans::Finish);
    let peer = bench.join();
    bench.call(peer, "ends", LARGE);
    bench.call(peer, "asks", LARGE);
    bench.leave(peer);
    let (count, bytes) = bench.hub.running.now();
    assert_eq!((count, bytes / LARGE), (2, 2));
    // No room for as many bytes again, but for a small one.
    let other = bench.join();
    bench.call(other, "waits", LARGE);
    assert_eq!(bench.hub.running.now().0, 2);
    bench.call(other, "waits", 1);
    bench.call(other, "waits", 1);
    assert_eq!(bench.hub.running.now().0, 3);
    assert_eq!(bench.turn(), 2);
    assert_eq!(bench.diary(), ["dropped", "told"]);
    assert_eq!(bench.hub.running.now().0, 2);
    assert_eq!(bench.hub.lock().endpoint.stats().requests_refused, 2);
}
