//! Handlers of callers that leave.

mod bench;

use super::*;
use crate::serve::on_disconnect::tests::bench::{Bench, Held, LARGE};
use pseud_proto::pseud::Dropped;
use pseud_proto::{Fault, Reason};
use std::future::pending;

#[test]
fn a_handler_that_waits_is_dropped_when_its_caller_leaves() {
    let bench = Bench::new(OnDisconnect::Cancel);
    let peer = bench.join();
    bench.call(&peer, "waits", 0);
    assert_eq!((bench.turn(), bench.woken(), bench.diary()), (1, 0, vec![]));
    bench.leave(&peer);
    assert_eq!((bench.woken(), bench.diary()), (1, vec![]));
    assert_eq!((bench.turn(), bench.diary()), (0, vec!["dropped"]));
    bench.over(1);
}

#[test]
fn a_handler_whose_caller_leaves_before_its_task_runs() {
    let bench = Bench::new(OnDisconnect::Cancel);
    let peer = bench.join();
    bench.call(&peer, "asks", 0);
    bench.leave(&peer);
    assert_eq!((bench.turn(), bench.diary()), (0, vec!["told", "dropped"]));
    bench.over(1);
}

#[test]
fn a_handler_that_waits_for_the_signal_is_polled_once_more() {
    let bench = Bench::new(OnDisconnect::Cancel);
    let peer = bench.join();
    bench.call(&peer, "asks", 0);
    bench.call(&peer, "ends", 0);
    assert_eq!((bench.turn(), bench.diary()), (2, vec![]));
    bench.leave(&peer);
    assert_eq!(bench.turn(), 0);
    assert_eq!(bench.diary(), ["told", "dropped", "dropped"]);
    bench.over(2);
}

#[test]
fn a_panic_as_it_is_dropped_is_caught() {
    let bench = Bench::new(OnDisconnect::Cancel);
    let peer = bench.join();
    bench.call(&peer, "breaks", 0);
    assert_eq!(bench.turn(), 1);
    bench.leave(&peer);
    assert_eq!((bench.turn(), bench.diary()), (0, vec!["dropped", "dropped"]));
    bench.over(1);
}

#[test]
fn those_of_a_node_that_ends_are_dropped() {
    let bench = Bench::new(OnDisconnect::Cancel);
    let peer = bench.join();
    bench.call(&peer, "waits", 0);
    assert_eq!(bench.turn(), 1);
    bench.hub.shutdown();
    assert_eq!((bench.turn(), bench.diary()), (0, vec!["dropped"]));
    bench.over(1);
}

#[test]
fn what_waits_for_a_predicate_is_not_begun_for_who_has_left() {
    let bench = Bench::new(OnDisconnect::Detach);
    let registry = bench.dispatcher.served.registry();
    registry.predicate_async("default", |_| async {
        yield_once().await;
        true
    });
    let [stays, leaves] = [(); 2].map(|()| bench.join());
    bench.call(&stays, "waits", 0);
    bench.call(&leaves, "ends", 0);
    bench.leave(&leaves);
    assert_eq!((bench.turn(), bench.diary()), (1, vec![]));
    bench.hub.shutdown();
    assert_eq!(bench.turn(), 1, "it is to finish");
}

/// Who is asked about a caller shows it out, or takes so long that it is gone: it has accepted somebody who is not there.
#[test]
fn who_leaves_while_a_predicate_is_asked_has_no_handler_begun() {
    let bench = Bench::new(OnDisconnect::Detach);
    let registry = bench.dispatcher.served.registry();
    registry.predicate("default", |caller| caller.seat.end(Reason::Disconnected));
    bench.call(&bench.join(), "waits", 0);
    registry.predicate_async("default", |caller| async move {
        yield_once().await;
        caller.seat.end(Reason::Disconnected)
    });
    bench.call(&bench.join(), "waits", 0);
    assert_eq!((bench.turn(), bench.diary()), (0, vec![]));
    bench.over(2);
}

#[test]
fn a_predicate_that_panics_as_it_is_dropped_harms_nobody() {
    let bench = Bench::new(OnDisconnect::Cancel);
    let diary = bench.diary.clone();
    bench.dispatcher.served.registry().predicate_async("default", move |_| {
        let held = Held(diary.clone(), true);
        async move {
            let _held = held;
            pending().await
        }
    });
    let peer = bench.join();
    bench.call(&peer, "ends", 0);
    assert_eq!((bench.turn(), bench.diary()), (1, vec![]));
    bench.leave(&peer);
    assert_eq!((bench.turn(), bench.diary()), (0, vec!["dropped"]));
    bench.over(1);
}

#[test]
fn what_waits_for_a_thread_is_not_begun_for_who_has_left() {
    let bench = Bench::new(OnDisconnect::Detach);
    let diary = bench.diary.clone();
    let work = move |_| {
        diary.lock().unwrap().push("begun");
        Ok::<_, Fault>(())
    };
    bench.dispatcher.served.registry().register_blocking("work", work).unwrap();
    let [stays, leaves] = [(); 2].map(|()| bench.join());
    bench.call(&stays, "work", 0);
    bench.call(&leaves, "work", 0);
    assert_eq!(bench.open().0, 2);
    bench.leave(&leaves);
    bench.run_jobs();
    assert_eq!((bench.diary(), bench.open()), (vec!["begun"], (0, 0)));
    assert_eq!(bench.hub.stats().dropped(Dropped::CallerGone), 1);
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
    let bench = Bench::new(OnDisconnect::Detach);
    let peer = bench.join();
    bench.call(&peer, "ends", LARGE);
    bench.call(&peer, "asks", LARGE);
    bench.leave(&peer);
    let (count, bytes) = bench.open();
    assert_eq!((count, bytes / LARGE), (2, 2));
    // No room for as many bytes again, but for a small one.
    let other = bench.join();
    bench.call(&other, "waits", LARGE);
    assert_eq!(bench.open().0, 2);
    bench.call(&other, "waits", 1);
    bench.call(&other, "waits", 1);
    assert_eq!(bench.open().0, 3);
    assert_eq!(bench.turn(), 2);
    assert_eq!(bench.diary(), ["dropped", "told"]);
    assert_eq!(bench.open().0, 2);
    assert_eq!(bench.hub.stats().requests_shed, 2);
}
